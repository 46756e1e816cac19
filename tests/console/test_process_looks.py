"""A look at the running processes: what they say over HTTP, and that one that says nothing stops no page."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import ValidationError
from signaalwissel.console.process_looks import Look, looks
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.ports import free_ports

METRICS = """# TYPE signaalwissel_state_entries gauge
signaalwissel_state_entries{stage="intake",table="signals"} 1200
signaalwissel_state_entries{stage="intake",table="trajectories"} 34
signaalwissel_state_disk_bytes{stage="intake",table="signals"} 4096
signaalwissel_in_recovery{stage="intake"} 0
signaalwissel_recovered_records_total{stage="intake"} 8
other_state_entries 5
"""


@contextmanager
def process(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """Something that answers; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, "{}"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - its name in http.server
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_process_tells_whether_it_is_ready_how_large_its_tables_are_and_how_it_recovered() -> None:
    told = {"/readyz": (200, '{"ready": true, "reasons": []}'), "/metrics": (200, METRICS)}
    with process(told) as address:
        assert looks(Settings(health_addresses=address)) == [
            Look(
                address,
                answers=True,
                ready=True,
                entries=1234,
                disk_bytes=4096,
                recovering=False,
                recovered=8,
            )
        ]


def test_one_that_is_not_ready_tells_why_and_one_without_metrics_leaves_them_unknown() -> None:
    with process({"/readyz": (503, '{"ready": false, "reasons": ["behind"]}')}) as address:
        assert looks(Settings(health_addresses=address)) == [
            Look(address, answers=True, ready=False, reasons=("behind",))
        ]


def test_one_that_does_not_answer_or_answers_nonsense_is_told_so() -> None:
    (port,) = free_ports(1)
    gone = f"http://127.0.0.1:{port}"
    with process({"/readyz": (200, "<html>")}) as address:
        found = looks(Settings(health_addresses=f"{gone}, {address}"))
    assert [(one.answers, one.ready) for one in found] == [(False, False), (False, False)]


def test_with_a_health_port_the_processes_of_this_machine_are_looked_at() -> None:
    (port,) = free_ports(1)
    assert [one.name for one in looks(Settings(health_port=port))] == ["intake", "matcher", "sink"]
    assert looks(Settings()) == []


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(health_addresses="ftp://x")
