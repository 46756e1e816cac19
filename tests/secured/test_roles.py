"""Every program does its work with the rights of its role and no others: pages, gateway, imports, people's commands."""

import json
import re
import uuid
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.lag import stream_lag
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.kafka_cluster import ADMIN, Login
from signaalwissel.deploy.platform import Platform
from signaalwissel.deploy.ports import free_ports
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import Feedback
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.row_security import grant_reader
from sqlalchemy import text

from tests.console.import_support import RECEIVED, own_profile, signal_rows, write_csv
from tests.console.webpages.web_support import COUNSELLOR, TEAM, Visitor, counsellor_choice
from tests.secured.secure import Secure, secure_installation
from tests.secured.secured_support import PUBLISHERS, Secured
from tests.security.provider import identity_provider
from tests.sources.gateway_support import event
from tests.sources.gateway_support import signal as a_signal
from tests.system.lines import BSN, applied, signal

pytestmark = pytest.mark.timeout(400)

PREFIX = "roles-"
TOLD_ON = "feedback.water-west"
# Who reads it: his group has the topic's name.
CHANNEL = """
[channels]
regular_side_too = true

[channels.partners.water-west]
kind = "topic"
publisher = "water-west"
"""
_PARTNER = {"partner_id": "water-west", "kind": "WATER"}
_ROWS = {
    "decided": "SELECT count(*) FROM decisions WHERE signal_id = :name",
    "letters": "SELECT count(*) FROM dead_letters WHERE code = :name AND status = 'open'",
    "steps": "SELECT count(*) FROM task_history WHERE task_id = :name",
    "sent": "SELECT count(*) FROM outbox WHERE topic = :name AND sent_at IS NOT NULL",
}


class Town:
    """The installation at work, and where its pages and its gateway are."""

    def __init__(self, secure: Secure, database_url: str, ports: list[int], token: str) -> None:
        self.secure = secure
        self.token = token
        self.engine = open_engine(database_url, name="test")
        self.gateway, self.pages = (f"http://127.0.0.1:{port}" for port in ports)

    def count(self, what: str, name: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text(_ROWS[what]), {"name": name}).scalar_one())

    def ends(self, topic: str) -> int:
        """How many offsets a topic has, as the administrator sees it."""
        settings = self.secure.settings(ADMIN)
        consumer = KafkaConsumer(
            bootstrap_servers=runtime.bootstrap(settings).split(","),
            **runtime.kafka_python_connection(settings),
        )
        places = [TopicPartition(PREFIX + topic, number) for number in range(settings.partitions)]
        ends = consumer.end_offsets(places)
        consumer.close()
        return sum(ends.values())

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.pages, timeout=60)

    def file(self, name: str, content: Any) -> str:
        file = self.secure.folder / name
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(file)

    def publish(self, publisher: str, kind: str, line: dict[str, Any]) -> None:
        line = {**line, "topic": f"{kind}.{publisher}"}
        self.secure.done(f"publisher-{publisher}", "publish", self.file("line.jsonl", line))


@pytest.fixture(scope="module")
def town(secured: Secured, platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("roles")
    publishers = folder / "publishers.toml"
    publishers.write_text(PUBLISHERS)
    policies = folder / "policies"
    policies.mkdir()
    packaged = files("signaalwissel.processors").joinpath("default.toml").read_text("utf-8")
    (policies / "default.toml").write_text(packaged + CHANNEL)
    ports = free_ports(2)
    with (
        fresh_database(platform.database_url, f"test_{uuid.uuid4().hex[:12]}") as url,
        identity_provider(f"http://127.0.0.1:{ports[1]}", folder) as provider,
        secure_installation(
            secured, Login.SCRAM, folder,
            publishers_file=publishers, policy_dir=str(policies), database_url=url, topic_prefix=PREFIX,
            gateway_port=str(ports[0]), web_port=str(ports[1]), **provider.settings(),
        ) as secure,
    ):  # fmt: skip
        made = Town(secure, url, ports, provider.token)
        grant_reader(made.engine)
        owner = {"counsellor": {"counsellor_id": COUNSELLOR, "team": TEAM}}
        foreign = {**_PARTNER, "partner_id": "somebody-else"}
        made.publish("casus", "trajectories", applied("2026-01-01", **owner))
        made.publish("water-west", "signals", signal("hit", "2026-02-10", partner=_PARTNER))
        made.publish("water-west", "signals", signal("foreign", "2026-02-10", partner=foreign))
        for stage in ("intake", "matcher"):
            secure.start(f"signaalwissel-{stage}", "worker", "--only", stage)
        for stage in ("sink", "gateway", "web"):
            secure.start(f"signaalwissel-{stage}", stage)
        for stage in ("gateway", "web"):
            secure.until(partial(listens, made, stage), f"{stage} listens")
        secure.until(lambda: made.count("decided", "hit") == 1, "the hit is decided")
        secure.until(lambda: made.count("letters", "PUBLISHER_NOT_ALLOWED") == 1, "the dead letter is stored")
        yield made


def listens(town: Town, stage: str) -> bool:
    return "listens on" in town.secure.told(f"signaalwissel-{stage}")


def test_the_gateway_takes_what_outsiders_send(town: Town) -> None:
    with httpx.Client(base_url=town.gateway, timeout=30) as program:
        assert program.get("/readyz").status_code == 200
        program.headers["authorization"] = f"Bearer {town.token}"
        assert program.post("/v1/trajectgebeurtenissen", json=event()).status_code == 202
        assert program.post("/v1/signalen", json=a_signal(signal_id="over-http")).status_code == 202
    town.secure.until(lambda: town.count("decided", "over-http") == 1, "the signal is decided")


def test_the_pages_take_a_report(town: Town) -> None:
    with town.engine.connect() as connection:
        task_id = connection.execute(
            text("SELECT task_id FROM tasks WHERE assignee = :who"), {"who": COUNSELLOR}
        ).scalar_one()
    steps = town.count("steps", task_id)
    with town.browser() as browser:
        answer = Visitor(browser, **counsellor_choice()).report(task_id, "ACCEPTED")
    assert answer.status_code == 303, answer.text
    town.secure.until(lambda: town.count("steps", task_id) > steps, "the sink has applied the report")


def test_a_partner_reads_on_his_topic_what_the_sink_tells_him(town: Town) -> None:
    with town.engine.connect() as connection:
        query = text(
            "SELECT task_id, version FROM tasks WHERE assignee = :who AND kind = 'CONTACT_ON_RELAPSE'"
        )
        task_id, version = connection.execute(query, {"who": COUNSELLOR}).one()
    with town.browser() as browser:
        mine = Visitor(browser, **counsellor_choice())
        answer = mine.report(task_id, "CONTACT_MADE", version, kanaal="PHONE", resultaat="PAID_OR_ARRANGED")
    assert answer.status_code == 303, answer.text
    (record,) = town.secure.read("publisher-water-west", TOLD_ON, TOLD_ON, 1)
    told = codec("PartnerFeedback").decode(record.value)
    assert (told.signal_id, told.feedback) == ("hit", Feedback.TAKEN_UP)


def test_the_pages_show_how_all_is_without_reading_a_record(town: Town) -> None:
    with town.browser() as browser:
        page = Visitor(browser, role="operator").counted("/beheer")
    checked = re.findall(r"<td[^>]*>([a-z ]+)</td>\s*<td[^>]*><span[^>]*>(\w+)", page)
    behind = re.findall(r"<dt[^>]*>([a-z ]+ lag)</dt><dd[^>]*><span[^>]*>[^<]*</span> <span[^>]*>(\w+)", page)
    told = dict([*checked, *behind])
    looked = {"kafka", "topics", "intake lag", "matcher lag", "sink lag", "intake partitions"}
    assert {check: told.get(check) for check in looked} == dict.fromkeys(looked, "goed"), page


def test_the_pages_replay_a_dead_letter_on_the_topic_of_its_publisher(town: Town) -> None:
    topic = "signals.water-west"
    before = town.ends(topic)
    with town.engine.connect() as connection:
        query = text("SELECT dead_letter_id FROM dead_letters WHERE code = 'PUBLISHER_NOT_ALLOWED'")
        letter = connection.execute(query).scalar_one()
    with town.browser() as browser:
        answer = Visitor(browser, role="operator").post(f"/berichten/{letter}", actie="opnieuw")
    assert answer.status_code == 303, answer.text
    assert town.ends(topic) == before + 1


def test_an_import_publishes_each_row_once(town: Town) -> None:
    folder = town.secure.folder
    profile = own_profile(folder)
    file = write_csv(folder / "signalen.csv", signal_rows(range(2)))
    for _ in range(2):
        town.secure.done(
            "signaalwissel-importer", "import", str(profile), str(file), "--received-at", RECEIVED
        )
    town.secure.until(lambda: all(town.count("decided", f"S{n}") == 1 for n in range(2)), "both are decided")


def test_the_privacy_officer_exports_and_the_sink_sends_what_follows_of_an_objection_and_an_erasure(
    town: Town,
) -> None:
    secure = town.secure
    resident = town.file("resident.json", {"bsn": BSN})
    about = (resident, "--municipality", "0344", "--by", "po-3")
    told = secure.done(
        "signaalwissel-privacy", "subject", "export", *about, "--out", str(secure.folder), "--json"
    )
    assert json.loads(told.splitlines()[-1])["records"] > 0
    commands = PREFIX + "intake-commands"
    secure.done("signaalwissel-privacy", "subject", "object", *about)
    secure.until(lambda: town.count("sent", commands) == 1, "the objection is sent")
    secure.done("signaalwissel-privacy", "subject", "erase", *about)
    secure.until(lambda: town.count("sent", commands) > 1, "the erasure is sent")
    operator = secure.settings("signaalwissel-operator")
    secure.until(lambda: not stream_lag(operator), "intake and matcher have read it")


OPERATING: list[tuple[str, ...]] = [
    ("topics", "plan", "--acls"),
    ("dead-letters", "replay", "--code", "PUBLISHER_NOT_ALLOWED"),
    ("keys", "rotate", "0344", "--status"),
    ("rebuild", "--dry-run"),
    ("rebuild",),
]


@pytest.mark.parametrize("command", OPERATING, ids=" ".join)
def test_the_operator_operates(town: Town, command: tuple[str, ...]) -> None:
    town.secure.done("signaalwissel-operator", *command)


def test_monitoring_sees_the_lag(town: Town) -> None:
    exporter = town.secure.settings("signaalwissel-exporter")
    town.secure.until(lambda: stream_lag(exporter) == 0, "all is read")


def test_none_of_them_was_stopped_by_a_right_that_lacks(town: Town) -> None:
    assert town.secure.stop() == [0] * 5, town.secure.logs()
