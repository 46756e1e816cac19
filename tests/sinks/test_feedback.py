"""What partners are told in channels of their own: once, signed, no more than the policy allows, and never in the way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature
from http_message_signatures.algorithms import HMAC_SHA256
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.sinks import feedback_store
from signaalwissel.sinks.feedback_settings import FeedbackSettings, FeedbackUnusable
from signaalwissel.sinks.feedback_store import Addressee
from signaalwissel.sinks.feedback_tables import feedback_deliveries
from signaalwissel.sinks.feedback_worker import FeedbackDelivery
from signaalwissel.sinks.tables import notices

from tests.processors.followup_support import POLICY, decision, to_regular, update
from tests.sinks.clock_support import Office
from tests.sinks.partner_server import PartnerServer, Received, partner
from tests.sinks.sink_support import until

SECRET = b"0123456789abcdef0123456789abcdef"
PARTNER = decision().partner.partner_id


def policies(kind: str = "webhook", url: str | None = None, *, openly: bool = False) -> Policies:
    told = {"kind": kind, "url": url}
    content = POLICY.model_dump(mode="json")
    content["channels"] = {"regular_side_too": True, "partners": {PARTNER: told}}
    content["feedback"] = {"tell_known_to_debt_help": openly}
    return Policies(type(POLICY).model_validate(content), for_every_code=True)


def write_secret(file: Path, secret: bytes) -> None:
    file.write_bytes(secret)
    file.chmod(0o600)


class Bench:
    """A sink's database, and what tells its partners."""

    def __init__(self, database_url: str, folder: Path, known: Policies) -> None:
        self.office = Office(database_url, known)
        write_secret(folder / f"{PARTNER}.secret", SECRET)
        self.settings = FeedbackSettings(
            secret_dir=folder,
            folder=folder / "out",
            timeout_s=0.5,
            backoff_s=0.05,
            backoff_max_s=0.1,
            failures_max=3,
            pause_s=0.1,
            pause_max_s=0.2,
        )
        self.known = known

    def reach(self, number: int = 1) -> None:
        """A signal whose resident was reached."""
        self.office.store(decision(f"s-{number}", trajectory_id=f"T-{number}"))
        task = next(one for one in self.office.tasks() if one.trajectory_id == f"T-{number}")
        self.office.store(
            updates=[update(TaskUpdateKind.CONTACT_MADE, task.task_id, update_id=f"u-{number}")]
        )

    @contextmanager
    def telling(self) -> Iterator[FeedbackDelivery]:
        thread = FeedbackDelivery(self.office.settings, self.settings, self.known)
        thread.start()
        try:
            yield thread
        finally:
            thread.stop()
        assert thread.failure is None

    def unsent(self) -> int:
        return sum(row["sent_at"] is None for row in self.office.rows(feedback_deliveries))

    def all_sent(self) -> bool:
        return self.unsent() == 0


class Secret(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> bytes:
        assert key_id == PARTNER
        return SECRET


class AsSent:
    """A request as a partner's library of signatures takes it."""

    method = "POST"

    def __init__(self, received: Received, server: PartnerServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}{received.path}"
        self.headers = received.headers


def test_a_partner_is_told_once_and_can_verify_who_told_him(database_url: str, tmp_path: Path) -> None:
    with partner() as server:
        bench = Bench(database_url, tmp_path, policies(url=server.url))
        bench.reach()
        with bench.telling():
            until(bench.all_sent, "the partner to be told")
        with bench.telling():
            assert bench.all_sent()
        [received] = server.received
    [notice] = bench.office.rows(notices)[-1:]
    event = json.loads(received.body)
    assert event["data"] == {
        "municipality": "0344",
        "signal_id": "s-1",
        "feedback": "TAKEN_UP",
        "occurred_on": event["data"]["occurred_on"],
    }
    assert event["id"] == received.headers["idempotency-key"] == notice["notice_id"]
    verifier = HTTPMessageVerifier(signature_algorithm=HMAC_SHA256, key_resolver=Secret())
    request = AsSent(received, server)
    asked = {
        "max_age": timedelta(minutes=5),
        "require_components": ("@method", "@target-uri", "content-type"),
    }
    [verified] = verifier.verify(request, body=received.body, **asked)
    assert verified.parameters["keyid"] == PARTNER
    with pytest.raises(InvalidSignature):
        verifier.verify(request, body=received.body.replace(b"TAKEN_UP", b"NOT_TAKEN_UP"), **asked)


def test_the_word_of_the_policy_is_the_only_one_told(database_url: str, tmp_path: Path) -> None:
    with partner() as server:
        bench = Bench(database_url, tmp_path, policies(url=server.url, openly=True))
        bench.reach()
        with bench.telling():
            until(bench.all_sent, "the partner to be told")
        [received] = server.received
    assert json.loads(received.body)["data"]["feedback"] == "KNOWN_TO_DEBT_HELP"
    for hidden in (b"T-1", b"reason", b"counsellor", b"trajectory", b"legal"):
        assert hidden not in received.body


@pytest.mark.parametrize("statuses", [(500, 503, 204), (429, 200), (400, 404, 201), (302, 200)])
def test_what_is_not_taken_is_sent_again_with_the_same_id(
    statuses: tuple[int, ...], database_url: str, tmp_path: Path
) -> None:
    with partner(*statuses) as server:
        bench = Bench(database_url, tmp_path, policies(url=server.url))
        bench.reach()
        with bench.telling():
            until(bench.all_sent, "the partner to take it")
        assert len(server.received) == len(statuses)
        assert len({(one.headers["idempotency-key"], one.body) for one in server.received}) == 1
    [row] = bench.office.rows(feedback_deliveries)
    assert (row["attempts"], row["last_error"]) == (len(statuses) - 1, None)


def test_a_partner_that_is_down_is_told_when_he_is_back(database_url: str, tmp_path: Path) -> None:
    with partner() as server:
        port, url = server.server_address[1], server.url
    bench = Bench(database_url, tmp_path, policies(url=url))
    for number in range(1, 6):
        bench.reach(number)
    with bench.telling():
        until(lambda: any(row["attempts"] for row in bench.office.rows(feedback_deliveries)), "a try")
        assert bench.unsent() == 5
        with partner(port=port) as server:
            until(bench.all_sent, "all to be sent")
            told = [json.loads(one.body)["data"]["signal_id"] for one in server.received]
    assert sorted(told) == [f"s-{number}" for number in range(1, 6)]


def test_an_answer_that_never_ends_is_none(database_url: str, tmp_path: Path) -> None:
    with partner(200, drip_s=30.0) as server:
        bench = Bench(database_url, tmp_path, policies(url=server.url))
        bench.reach()
        with bench.telling():
            until(lambda: len(server.received) >= 2, "another try")
            assert bench.unsent() == 1


def test_while_a_partner_is_down_the_sink_stores_and_other_partners_are_told(
    database_url: str, tmp_path: Path
) -> None:
    with partner() as server:
        known = policies(url="http://127.0.0.1:1/x")
        [gone] = known.default.channels.partners.values()
        other = gone.model_copy(update={"url": server.url})
        known.default.channels.partners["other"] = other
        bench = Bench(database_url, tmp_path, known)
        write_secret(tmp_path / "other.secret", SECRET)
        with bench.telling() as thread:
            bench.reach(1)
            _in_the_hands_of(bench.office, "other")
            bench.reach(2)
            until(lambda: bench.unsent() == 1, "the other partner to be told")
            assert thread.is_alive()
        assert [one.headers["signature-input"].count('keyid="other"') for one in server.received] == [1]


def _in_the_hands_of(office: Office, name: str) -> None:
    """As if a notice's partner were another one."""
    with office.engine.begin() as connection:
        connection.execute(notices.update().where(notices.c.feedback.is_not(None)).values(addressee=name))
        connection.execute(feedback_deliveries.update().values(partner_id=name))


def test_a_file_lies_whole_in_the_partners_folder_once(database_url: str, tmp_path: Path) -> None:
    bench = Bench(database_url, tmp_path, policies("file"))
    bench.reach()
    with bench.telling():
        until(bench.all_sent, "the file")
    [row] = bench.office.rows(feedback_deliveries)
    place = tmp_path / "out" / "0344" / PARTNER
    assert [file.name for file in place.iterdir()] == [f"{row['notice_id']}.json"]
    assert json.loads(next(place.iterdir()).read_bytes())["data"]["signal_id"] == "s-1"


def test_without_a_channel_nobody_is_told(database_url: str, tmp_path: Path) -> None:
    bench = Bench(database_url, tmp_path, Policies(POLICY, for_every_code=True))
    bench.reach()
    assert bench.office.rows(feedback_deliveries) == []


def test_of_an_erased_signal_nobody_is_told_any_more(database_url: str, tmp_path: Path) -> None:
    bench = Bench(database_url, tmp_path, policies(url="http://127.0.0.1:1/x"))
    bench.reach()
    assert bench.unsent() == 1
    erased = to_regular("s-1")._replace(action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED)
    bench.office.store(erased)
    assert bench.office.rows(feedback_deliveries) == []


def test_a_partner_who_is_left_alone_holds_up_nobody(database_url: str, tmp_path: Path) -> None:
    bench = Bench(database_url, tmp_path, policies(url="http://127.0.0.1:1/x"))
    bench.reach()
    with bench.office.engine.connect() as connection:
        assert len(feedback_store.due(connection, [], 10)) == 1
        assert feedback_store.due(connection, [Addressee("0344", PARTNER)], 10) == []


@pytest.mark.parametrize("secret", [None, b"short"])
def test_a_webhook_without_a_good_secret_ends_the_start(tmp_path: Path, secret: bytes | None) -> None:
    if secret is not None:
        write_secret(tmp_path / "p.secret", secret)
    channels: Any = policies(url="https://p.example/x").default.channels.partners
    with pytest.raises(FeedbackUnusable, match=r"p\.secret"):
        FeedbackSettings(secret_dir=tmp_path).check([("p", next(iter(channels.values())))])
    with pytest.raises(FeedbackUnusable, match="FEEDBACK_DIR"):
        FeedbackSettings().check([("p", next(iter(policies("file").default.channels.partners.values())))])
