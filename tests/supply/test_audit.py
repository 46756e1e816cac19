"""pip-audit itself, against a stand-in that speaks the query API of OSV."""

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.supply.audit import AWAY, DONE, FINDINGS, audit, main

KNOWN_BAD = "1.0.1"
VULNERABILITY = {
    "id": "PYSEC-2026-1",
    "summary": "made up",
    "affected": [
        {
            "package": {"name": "example-part", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0.2"}]}],
            "versions": [KNOWN_BAD],
        }
    ],
}


class OsvHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"vulns": [VULNERABILITY]} if asked["version"] == KNOWN_BAD else {}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OsvHandler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def lock(folder: Path, version: str) -> Path:
    file = folder / "requirements.lock"
    file.write_text(f"example-part=={version} \\\n    --hash=sha256:{'0' * 64}\n")
    return file


def test_a_version_that_is_known_bad_is_a_finding(service: str, tmp_path: Path) -> None:
    code, report = audit(lock(tmp_path, KNOWN_BAD), service)
    assert code == FINDINGS
    assert report == f"example-part {KNOWN_BAD}: PYSEC-2026-1; mended in: 1.0.2"


def test_a_mended_version_is_none(service: str, tmp_path: Path) -> None:
    assert audit(lock(tmp_path, "1.0.2"), service) == (DONE, "1 packages, no known vulnerability")


def test_a_service_that_does_not_answer_is_no_clean_audit(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        code, report = audit(lock(tmp_path, "1.0.2"), f"http://127.0.0.1:{bound.getsockname()[1]}/v1/query")
    assert code == AWAY
    assert "nothing is audited" in report
    assert "SIGNAALWISSEL_AUDIT_SERVICE" in report


@pytest.mark.parametrize(("version", "ends"), [(KNOWN_BAD, FINDINGS), ("1.0.2", DONE)])
def test_the_check_fails_on_what_is_known(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, ends: int
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_AUDIT_SERVICE", service)
    assert main(["--unless-away"], lock(tmp_path, version)) == ends


def test_the_check_says_that_nothing_was_audited_where_the_service_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{bound.getsockname()[1]}/v1/query"
        monkeypatch.setenv("SIGNAALWISSEL_AUDIT_SERVICE", address)
        assert main([], lock(tmp_path, "1.0.2")) == AWAY
        assert main(["--unless-away"], lock(tmp_path, "1.0.2")) == DONE
    assert "NOT AUDITED" in capsys.readouterr().out
