"""No HTTP client of ours goes where an answer sends it: a redirect would carry tokens and records to strangers."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from signaalwissel.console.tracing import bound_session

ROOT = Path(__file__).parents[2]
FOLDERS = ("security", "sinks", "sources", "console", "streams", "deploy")
CLIENT = re.compile(r"httpx\.(?:Async)?Client\((.*?)\n\s*\)\n", re.DOTALL)


def clients() -> dict[str, str]:
    """Where each client is made, and with what."""
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    return {
        f"{file.relative_to(ROOT)}:{found.start()}": found[1]
        for file in files
        for found in CLIENT.finditer(file.read_text("utf-8") + "\n")
    }


def test_no_client_follows_a_redirect() -> None:
    found = clients()
    assert len(found) >= 4
    assert [where for where, given in found.items() if "follow_redirects=False" not in given] == []


def test_nothing_is_asked_without_a_client() -> None:
    """A call of the library's own functions, or a client in one line, would pass the test above unseen."""
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    unseen = re.compile(
        r"httpx\.(?:get|post|put|patch|delete|request|stream)\(|httpx\.(?:Async)?Client\([^\n]*\)\s*(?:as|\n)"
    )
    assert [str(file) for file in files if unseen.search(file.read_text("utf-8"))] == []


class _Elsewhere(HTTPAdapter):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str | None] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(request.url)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 307, request, str(request.url)
        answer.headers["location"] = "https://elsewhere.example/"
        answer.raw = io.BytesIO()
        return answer


def test_traces_go_where_the_setting_says_and_no_further() -> None:
    session, adapter = bound_session(), _Elsewhere()
    session.mount("https://", adapter)
    with pytest.raises(requests.TooManyRedirects):
        session.post("https://collector.example/v1/traces", data=b"x")
    assert adapter.asked == ["https://collector.example/v1/traces"]
