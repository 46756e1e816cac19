"""Start, stop, kill and close of any server; a few lines of Python stand in for it."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from signaalwissel.deploy import server as server_module
from signaalwissel.deploy.errors import PlatformError, PortTaken, ServerFailed
from signaalwissel.deploy.server import Timing

from tests.deploy.support import DEAF, ENDING, NEVER_READY, StandIn, is_alive, wait_until


def test_a_started_server_answers_at_its_address_and_a_closed_one_is_gone() -> None:
    with StandIn() as server:
        pid, folder = server.pid, server.folder
        host, port = server.address.split(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    assert not is_alive(pid)
    assert not folder.exists()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_was_ended_starts_again_with_its_address_and_data(how: str) -> None:
    with StandIn() as server:
        address, first = server.address, server.pid
        getattr(server, how)()
        assert not is_alive(first)
        server.start()
        assert server.address == address
        assert is_alive(server.pid)
        assert (server.folder / "starts").read_text() == "xx"


def test_restart_is_stop_and_start() -> None:
    with StandIn() as server:
        first = server.pid
        server.restart()
        assert not is_alive(first)
        assert is_alive(server.pid)


def test_data_in_a_given_folder_outlive_the_server(tmp_path: Path) -> None:
    for _ in range(2):
        with StandIn(folder=tmp_path / "kept"):
            pass
    assert (tmp_path / "kept" / "starts").read_text() == "xx"


def test_a_server_that_ends_while_starting_shows_its_last_lines_and_what_to_do() -> None:
    with pytest.raises(ServerFailed) as failed, StandIn(ENDING):
        pytest.fail("it never started")
    text = str(failed.value)
    assert "StandIn ended with status 3 while it was starting" in text
    assert "line 99" in text
    assert "line 9\n" not in text
    assert "set STAND_IN_ADDRESS to a StandIn that runs" in text


def test_a_server_that_does_not_become_ready_is_ended_after_a_bound() -> None:
    server = StandIn(NEVER_READY, timing=Timing(start_bound_s=1.0))
    with pytest.raises(ServerFailed, match=r"was not ready within 1 s(.|\n)*still busy"):
        server.start()
    assert not is_alive(server.pid)
    server.close()


def test_a_server_that_ignores_the_stop_signal_is_killed_after_a_bound() -> None:
    with StandIn(DEAF, timing=Timing(stop_bound_s=0.2)) as server:
        pid = server.pid
    assert not is_alive(pid)


def test_a_port_that_was_taken_meanwhile_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        free = server_module.free_ports(1)
        choices = iter([[taken], free])
        monkeypatch.setattr(server_module, "free_ports", lambda _count: next(choices))
        with StandIn() as server:
            assert server.address == f"127.0.0.1:{free[0]}"


def test_a_restart_keeps_to_its_port_even_if_it_was_taken() -> None:
    with StandIn() as server:
        server.stop()
        host, port = server.address.split(":")
        with socket.create_server((host, int(port))), pytest.raises(PortTaken, match="found its port taken"):
            server.start()


def test_a_server_that_runs_is_not_started_twice() -> None:
    with StandIn() as server, pytest.raises(PlatformError, match="StandIn runs already"):
        server.start()


def test_close_ends_a_start_in_another_thread() -> None:
    server = StandIn(NEVER_READY)
    errors: list[str] = []

    def start() -> None:
        try:
            server.start()
        except PlatformError as error:
            errors.append(str(error))

    starting = threading.Thread(target=start)
    starting.start()
    wait_until(lambda: "still busy" in server._log(0), "the server is starting")
    pid = server.pid
    server.close()
    starting.join(20)
    assert errors == ["StandIn was closed while it was starting."]
    assert not is_alive(pid)


def test_threads_that_ask_for_the_folder_at_once_get_the_same_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    make = server_module.tempfile.mkdtemp

    def slow(**options: str) -> str:
        time.sleep(0.05)  # long enough for the other thread to ask too
        made.append(make(**options))
        return str(made[-1])

    monkeypatch.setattr(server_module.tempfile, "mkdtemp", slow)
    server = StandIn()
    with ThreadPoolExecutor(2) as threads:
        folders = {asked.result() for asked in [threads.submit(lambda: server.folder) for _ in range(2)]}
    server.close()
    assert [str(folder) for folder in folders] == made


def test_settings_of_this_product_are_not_handed_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_SECRET", "s3cret")
    monkeypatch.setenv("PGDATA", "/elsewhere")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1k")
    monkeypatch.setenv("TZ", "Europe/Amsterdam")
    program = "import os; print(sorted(os.environ)); raise SystemExit(1)"
    with pytest.raises(ServerFailed) as failed, StandIn(program):
        pytest.fail("it never started")
    assert "'TZ'" in str(failed.value)
    assert not any(
        name in str(failed.value) for name in ("SIGNAALWISSEL_SECRET", "PGDATA", "JAVA_TOOL_OPTIONS")
    )
