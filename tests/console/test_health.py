"""Health of a process: what the two paths answer, and when a process ends itself."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from signaalwissel.console import worker
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.health import GRACE_S, Progress, Watched, answer, watched
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.ports import free_ports
from signaalwissel.processors.progress import Part, Standing

BUSY = Standing("7 records are to be read", 0)
BOUND_S = 30.0


def progress(look: Callable[[], Standing], ended: list[str]) -> Progress:
    return Progress(Watched("matcher", 1, look), BOUND_S, ended.append)


def test_a_process_without_progress_is_not_live_after_the_bound_and_ends_after_the_grace() -> None:
    ended: list[str] = []
    watch = progress(lambda: BUSY, ended)
    for second in range(int(BOUND_S)):
        watch.look(float(second))
        assert answer("/livez", watch)[0] == 200
    watch.look(BOUND_S)
    status, told = answer("/livez", watch)
    assert (status, told["live"], told["due"]) == (503, False, "7 records are to be read")
    assert answer("/readyz", watch)[1]["reasons"] == ["no progress: see /livez"]
    assert ended == []
    for second in range(int(GRACE_S)):
        watch.look(BOUND_S + second + 1)
    (reason,) = ended
    assert reason.startswith(
        "matcher is stuck: 7 records are to be read, and nothing was committed for 35 s."
    )


def test_a_process_that_goes_on_is_live_however_much_is_due() -> None:
    ended: list[str] = []
    moved = iter(range(1000))
    watch = progress(lambda: Standing("much", next(moved)), ended)
    for second in range(200):
        watch.look(float(second))
        assert watch.live
    assert ended == []


def test_a_process_of_which_one_part_stands_still_is_not_live_and_names_the_part() -> None:
    ended: list[str] = []
    moved = iter(range(1000))
    stands = (Part("in[1]", "9 records of in[1] are to be read and committed", 4),)
    watch = progress(lambda: Standing("much", next(moved), parts=stands), ended)
    for second in range(int(BOUND_S + GRACE_S) + 1):
        watch.look(float(second))
    assert answer("/livez", watch)[1]["due"] == "9 records of in[1] are to be read and committed"
    assert ended[0].startswith(
        "matcher is stuck: 9 records of in[1] are to be read and committed, and nothing"
    )


def test_the_longest_wait_for_a_commit_is_no_standstill() -> None:
    settings = Settings(progress_timeout_s=5.0, broker_timeout_s=1.0, commit_interval_ms=5000)
    with watched(settings, Watched("matcher", 1, lambda: BUSY)) as watch:
        for second in range(15):
            watch.look(float(second))
        assert watch.live
        watch.look(15.0)
        assert not watch.live


def test_readiness_tells_each_reason() -> None:
    watch = progress(lambda: Standing(None, 0, ("the gate is shut",)), [])
    assert answer("/readyz", watch) == (503, {"ready": False, "reasons": ["the gate is shut"]})
    assert answer("/livez", watch)[0] == 200


def get(port: int, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answered:
            return answered.status, json.load(answered)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_each_process_answers_on_the_port_of_its_number_and_stops_with_the_block() -> None:
    (port,) = free_ports(1)
    settings = Settings(health_port=port - 1)
    with watched(settings, Watched("matcher", 1, lambda: Standing(None, 0))):
        assert get(port, "/readyz") == (200, {"ready": True, "reasons": []})
        assert get(port, "/livez") == (200, {"live": True, "due": None, "idle_s": 0.0})
        assert get(port, "/livez?from=probe")[0] == 200
        assert get(port, "/") == (404, {"paths": ["/livez", "/readyz", "/metrics"]})
    with pytest.raises(urllib.error.URLError):
        get(port, "/livez")


def test_a_port_that_is_taken_is_told_with_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(health_port=taken.getsockname()[1])
        with (
            pytest.raises(UsageFailure, match="SIGNAALWISSEL_HEALTH_PORT"),
            watched(settings, Watched("intake", 0, lambda: BUSY)),
        ):
            pass


STUCK = """
import logging, threading, time
from signaalwissel.console import health
from signaalwissel.console.settings import Settings
from signaalwissel.processors.progress import Standing
logging.basicConfig()
health.LOOK_S, health.GRACE_S, health._TELL_S = 0.1, 0.5, {patience}
with health.watched(
    Settings(progress_timeout_s=5.0, broker_timeout_s=1.0),
    health.Watched("intake", 0, lambda: Standing("2 records are to be read", 0)),
):
    {hang}
"""


@pytest.mark.parametrize(
    ("hang", "patience", "told"),
    [
        pytest.param("threading.Event().wait()", 5.0, True, id="waiting for ever"),
        pytest.param(
            "logging.root.handlers[0].acquire(); threading.Event().wait()",
            0.5,
            False,
            id="the log itself hangs",
        ),
    ],
)
def test_a_stuck_process_ends_itself_with_its_own_status_and_shows_where_it_hangs(
    hang: str, patience: float, told: bool
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STUCK.format(hang=hang, patience=patience)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == Exit.STUCK
    assert ("intake is stuck: 2 records are to be read" in ended.stderr) == told
    assert ("most recent call first" in ended.stderr) == told


def test_the_supervisor_starts_a_stuck_process_again_and_ends_with_one_that_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fates = {"intake": [60], "matcher": [Exit.STUCK, Exit.UNAVAILABLE]}

    def child(_command: str, _only: str, stage: str) -> "subprocess.Popen[bytes]":
        fate = fates[stage].pop(0)
        program = "import time; time.sleep(60)" if stage == "intake" else f"import sys; sys.exit({fate:d})"
        return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)

    monkeypatch.setattr(worker, "child", child)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert worker.Supervisor().run() == Exit.UNAVAILABLE
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    told = capfd.readouterr().err
    assert "matcher was stuck; starting it again" in told
    assert "matcher ended with status 3" in told
    assert fates["matcher"] == []
