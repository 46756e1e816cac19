import threading
from collections.abc import Iterator

import httpx
import pytest
from signaalwissel.sinks import open_klant_http
from signaalwissel.sinks.open_klant_http import (
    OpenKlantAway,
    OpenKlantFailure,
    OpenKlantForbidden,
    OpenKlantRefused,
    Requests,
)

from tests.sinks.open_klant_server import running_stub
from tests.sinks.open_klant_stub import TOKEN, OpenKlantStub
from tests.sinks.open_klant_support import open_klant_settings


@pytest.fixture
def stub() -> Iterator[OpenKlantStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def requests(stub: OpenKlantStub) -> Iterator[Requests]:
    with Requests(open_klant_settings(stub), threading.Event()) as requests:
        yield requests


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_failure_that_passes_is_tried_again(stub: OpenKlantStub, requests: Requests, status: int) -> None:
    stub.fail("GET internetaken", "status", status=status, times=2)
    assert requests.get("internetaken")["results"] == []
    assert stub.count("GET") == 3


def test_a_dropped_connection_is_tried_again_but_never_a_post(
    stub: OpenKlantStub, requests: Requests
) -> None:
    stub.fail("GET", "drop_before")
    assert requests.get("internetaken")["results"] == []
    stub.fail("POST", "drop_after")
    with pytest.raises(OpenKlantAway):
        requests.post("actoren", {"naam": "x", "soortActor": "medewerker"})
    assert (stub.count("POST"), len(stub.actors)) == (1, 1)


@pytest.mark.parametrize("status", [500, 501, 507, 302, 408])
def test_a_failure_of_the_server_is_away_and_not_tried_at_once(
    stub: OpenKlantStub, requests: Requests, status: int
) -> None:
    stub.fail("GET", "status", status=status)
    with pytest.raises(OpenKlantAway, match=f"GET internetaken: HTTP {status}"):
        requests.get("internetaken")
    assert stub.count("GET") == 1


@pytest.mark.parametrize(("said", "meant"), [("7", 7.0), ("99999999", 3600.0), ("Wed", None), ("", None)])
def test_a_busy_server_says_how_long_to_wait(
    stub: OpenKlantStub, requests: Requests, said: str, meant: float | None
) -> None:
    stub.fail("GET", "status", status=429, headers={"Retry-After": said})
    with pytest.raises(OpenKlantAway) as away:
        requests.get("internetaken")
    assert away.value.retry_after_s == meant


def test_a_token_that_is_not_taken_is_forbidden_and_not_repeated_in_the_text(
    stub: OpenKlantStub, requests: Requests
) -> None:
    stub.token = "another"
    with pytest.raises(OpenKlantForbidden) as forbidden:
        requests.get("internetaken")
    assert TOKEN not in str(forbidden.value)


def test_a_refusal_names_the_fields_and_never_what_was_sent(requests: Requests) -> None:
    with pytest.raises(OpenKlantRefused) as refused:
        requests.post("actoren", {"naam": "geheim" * 100, "soortActor": "x"})
    assert str(refused.value) == "POST actoren: HTTP 400: naam (max_length), soortActor (invalid_choice)"
    assert refused.value.taken == frozenset()


def test_a_refusal_without_a_readable_body_is_a_refusal(stub: OpenKlantStub, requests: Requests) -> None:
    stub.fail("GET", "status", status=400)
    with pytest.raises(OpenKlantRefused, match=r"HTTP 400$"):
        requests.get("internetaken")


def test_a_slow_server_is_given_up_after_its_time(stub: OpenKlantStub, requests: Requests) -> None:
    stub.fail("GET", "late", seconds=25.0)
    with pytest.raises(OpenKlantAway, match="no answer within 1 s"):
        requests.get("internetaken")
    assert (stub.count("GET"), stub.finished_late) == (1, 0)


def test_a_server_that_drips_is_given_up_too(stub: OpenKlantStub, requests: Requests) -> None:
    stub.fail("GET", "drip", seconds=0.2)
    with pytest.raises(OpenKlantAway, match="takes too long"):
        requests.get("internetaken")


def test_an_answer_without_end_is_given_up(
    stub: OpenKlantStub, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_klant_http, "_BODY_MAX", 10)
    with pytest.raises(OpenKlantAway, match="larger than 10 bytes"):
        requests.get("internetaken")


def test_a_page_instead_of_json_is_a_failure(stub: OpenKlantStub, requests: Requests) -> None:
    stub.fail("GET", "nonsense")
    with pytest.raises(OpenKlantAway, match="not JSON"):
        requests.get("internetaken")


@pytest.mark.parametrize("content", [b"[1]", b'"x"', b"null"])
def test_json_that_is_no_object_is_a_failure(content: bytes) -> None:
    with pytest.raises(OpenKlantAway, match="no JSON object"):
        open_klant_http._object(content, "GET x")


def test_an_encoding_that_cannot_be_read_is_a_failure(
    requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(*_: object, **__: object) -> None:
        raise httpx.DecodingError("bad gzip")

    monkeypatch.setattr(requests._client, "stream", spoiled)
    with pytest.raises(OpenKlantAway, match="DecodingError"):
        requests.get("internetaken")


def test_nobody_there_is_away(stub: OpenKlantStub) -> None:
    settings = open_klant_settings(stub, url="http://127.0.0.1:9/api/v1")
    with (
        Requests(settings, threading.Event()) as requests,
        pytest.raises(OpenKlantFailure, match="GET internetaken"),
    ):
        requests.get("internetaken")
