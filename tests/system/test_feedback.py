"""Feedback from the decision to the partner's own topic, by the processes that do it: once, whatever kills the sink."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from signaalwissel import processors
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import Feedback
from signaalwissel.schemas.routing import Route
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.feedback_tables import feedback_deliveries
from sqlalchemy import func, select

from tests.console.import_support import bsn_of
from tests.system import lines
from tests.system.installation import PATIENCE_S, Installation

pytestmark = pytest.mark.timeout(600)

TOLD, UNTOLD = "woonstichting", "energie-noord"
SIGNALS = 200
KILLS = 4


def installed(install: Callable[..., Installation], folder: Path) -> Installation:
    """A municipality whose policy tells one of two partners on a topic of his own."""
    policies, publishers = folder / "policies", folder / "publishers.toml"
    policies.mkdir()
    packaged = Path(processors.__path__[0]) / "default.toml"
    (policies / "default.toml").write_text(packaged.read_text("utf-8"), "utf-8")
    (policies / "0344.toml").write_text(
        f'[channels]\nregular_side_too = true\n[channels.partners.{TOLD}]\nkind = "topic"\npublisher = "{TOLD}"\n',
        "utf-8",
    )
    publishers.write_text(f'["feedback.{TOLD}"]\npartners = ["{TOLD}"]\n', "utf-8")
    product = install(partitions=2, publishers=publishers, extra={"SIGNAALWISSEL_POLICY_DIR": str(policies)})
    assert product.start("keys", "create", "0344").wait(60) == 0
    return product


def applied(number: int) -> Line:
    """Somebody whose trajectory runs."""
    own = {"trajectory_id": f"T-{number}", "event_id": f"e-{number}", "clients": [{"bsn": bsn_of(number)}]}
    return lines.event("APPLIED", 1, "2026-01-01", **own)


def reported(signal_id: str, number: int, partner: str) -> Line:
    who = {"subject": {"bsn": bsn_of(number)}, "partner": {"partner_id": partner, "kind": "RENT"}}
    return lines.signal(signal_id, "2026-02-10", **who)


def waiting(product: Installation) -> tuple[int, int]:
    """How much feedback there is, and how much of it waits."""
    counts = select(func.count(), func.count().filter(feedback_deliveries.c.sent_at.is_(None)))
    with open_engine(product.database_url, name="test").connect() as connection:
        every, unsent = connection.execute(counts.select_from(feedback_deliveries)).one()
    return every, unsent


def told(product: Installation) -> list[Any]:
    return product.read(f"feedback.{TOLD}")


def kill_as_it_tells(product: Installation, sink: "subprocess.Popen[bytes]", told_before: int) -> int:
    """Kill the sink as soon as the partner reads something new; how much he reads then."""
    topic = f"{product.prefix}feedback.{TOLD}"
    with closing(
        KafkaConsumer(bootstrap_servers=product.bootstrap, isolation_level="read_committed")
    ) as partner:
        places = [TopicPartition(topic, number) for number in partner.partitions_for_topic(topic)]
        partner.assign(places)
        partner.seek_to_beginning(*places)
        read = 0
        deadline = time.monotonic() + PATIENCE_S
        while read <= told_before:
            assert sink.poll() is None, product.logs()
            assert time.monotonic() < deadline, product.logs()
            read += sum(map(len, partner.poll(timeout_ms=500, max_records=1).values()))
    # Perhaps before it could mark what it told.
    sink.send_signal(signal.SIGKILL)
    sink.wait(30)
    return len(told(product))


def test_what_the_policy_lets_be_told_ends_on_the_partners_topic_once_through_kill_9_of_the_sink(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    product = installed(install, tmp_path)
    product.start("worker")
    sink = product.start("sink")
    product.publish(map(applied, range(SIGNALS + 1)))
    product.settle()
    product.publish([reported(f"S-{number}", number, TOLD) for number in range(SIGNALS)])
    # No channel of his in the policy, and no trajectory of the resident.
    product.publish([reported("S-other", SIGNALS, UNTOLD), reported("S-regular", SIGNALS + 1, TOLD)])
    product.settle(sink=True)
    regular = [one.signal_id for one in product.decisions() if one.route is Route.REGULAR_FLOW]
    assert regular == ["S-regular"]
    # Nobody was reached: there is nothing to tell.
    assert told(product) == []

    product.publish(map(lines.contact_made, product.contacts_to_make()))
    before = 0
    for _ in range(KILLS):
        before = kill_as_it_tells(product, sink, before)
        assert 0 < before < SIGNALS
        sink = product.start("sink")
    product.settle(sink=True)
    product.wait_until(lambda: waiting(product) == (SIGNALS, 0), "the partner is told all")

    records = told(product)
    ids = Counter(dict(record.headers)["ce_id"] for record in records)
    assert set(ids.values()) == {1}
    said = [codec("PartnerFeedback").decode(record.value) for record in records]
    assert Counter(one.signal_id for one in said) == Counter(f"S-{number}" for number in range(SIGNALS))
    assert {(one.partner_id, one.feedback) for one in said} == {(TOLD, Feedback.TAKEN_UP)}
