"""Erasing under load, and after a restore: nothing of an erased resident comes back (AVG 17; design 2, 7).

Each race is one resident whose trajectory, signals, late events and corrections run against his erasure, in an order
that a seed chooses. SIGNAALWISSEL_RACES says how many; `make races` runs a thousand.
"""

import os
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from pydantic import SecretStr
from signaalwissel.console import erasure_ledger, runtime
from signaalwissel.console.asking import request_id
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.processors.stamped import record_in
from signaalwissel.processors.subject import person_of
from signaalwissel.schemas.fact_codec import read_intake_trajectory, read_trajectory_state
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.schemas.signal import Subject
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks import subject_requests
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.subject_requests import Ask, Means
from signaalwissel.streams.clock import now_ms
from sqlalchemy import Engine, make_url, text

from tests.system.installation import Installation
from tests.system.rights import MUNICIPALITY, Rights, bsns, event, signal

RACES = int(os.environ.get("SIGNAALWISSEL_RACES", "24"))
pytestmark = pytest.mark.timeout(600 + 4 * RACES)

APPLIED, LATER, LATE = "2026-01-05T10:00:00Z", "2026-02-10T10:00:00Z", "2026-02-12T10:00:00Z"
_NUMBERS = bsns(2 * RACES + 1)
STRANGER = {"bsn": _NUMBERS[-1]}


class Resident(NamedTuple):
    """One race: a resident, his spouse where he has one, and what is sent about them."""

    number: int
    bsn: str
    spouse: str | None

    @property
    def trajectory(self) -> str:
        return f"T-{self.number}"

    def before(self) -> list[Line]:
        clients = [{"bsn": one} for one in (self.bsn, self.spouse) if one is not None]
        return [event(self.trajectory, "APPLIED", 1, APPLIED, clients=clients)]

    def known(self) -> list[Line]:
        """Signals that are stored, with their task, before anything is erased."""
        return [*self._signals("old", LATER), *self._spouses("old", LATER)]

    def racing(self) -> list[Line]:
        """What runs against the erasure: signals, the same again, an exit that corrects them, the list once more."""
        listed = [{"bsn": one} for one in (self.bsn, self.spouse) if one is not None]
        return [
            *self._signals("race", LATE),
            *self._signals("old", LATER),
            *self._spouses("race", LATE),
            event(self.trajectory, "EXITED", 2, "2026-02-11T10:00:00Z", exit_reason="NO_SHOW"),
            event(self.trajectory, "REOPENED", 3, "2026-02-11T11:00:00Z"),
            event(self.trajectory, "CLIENT_CHANGED", 4, "2026-02-11T12:00:00Z", clients=listed),
        ]

    def late(self) -> list[Line]:
        """What a case system and partners send again when all is over."""
        return [*self.before(), *self.racing(), *self.known()]

    def _signals(self, name: str, moment: str) -> list[Line]:
        return [signal(f"{name}-{self.number}", {"bsn": self.bsn}, moment)]

    def _spouses(self, name: str, moment: str) -> list[Line]:
        return (
            []
            if self.spouse is None
            else [signal(f"spouse-{name}-{self.number}", {"bsn": self.spouse}, moment)]
        )


RESIDENTS = [Resident(n, _NUMBERS[2 * n], _NUMBERS[2 * n + 1] if n % 2 else None) for n in range(RACES)]


@dataclass
class Town:
    """An installation with its residents, and erasures in this process."""

    product: Installation
    ledger: Path

    def __post_init__(self) -> None:
        self.keys = LocalKeys(self.product.folder / "keys", create_municipalities=True)
        self.engine = open_engine(self.product.database_url, name="test")

    def erase(self, resident: Resident) -> None:
        hashes = self.keys.pseudonym_keys(MUNICIPALITY)
        person, at = person_of(Subject(bsn=resident.bsn), hashes), now_ms()
        ask = Ask(request_id("erase", person, hashes, at), "AVG 17", "po-3", at)
        means = Means(
            runtime.sink_settings(self.product.settings),
            runtime.policies(self.product.settings).register_of,
            lambda entries: erasure_ledger.append(self.ledger, entries),
        )
        subject_requests.erase_now(self.engine, person, self.keys, ask, means)

    def hash_of(self, bsn: str) -> bytes:
        found = self.keys.pseudonym_keys(MUNICIPALITY).pseudonym(Subject(bsn=bsn)).bsn
        assert found is not None
        return found

    def settle(self) -> None:
        """Until nothing is under way, the outbox's commands included."""
        self.product.settle(sink=True)
        unsent = text("SELECT count(*) FROM outbox WHERE sent_at IS NULL")

        def relayed() -> bool:
            with self.engine.connect() as connection:
                return connection.execute(unsent).scalar_one() == 0

        self.product.wait_until(relayed, "the outbox is empty")
        self.product.settle(sink=True)


def mixed(stories: Iterable[list[Line]], seed: int) -> list[Line]:
    """The lines of all stories in one order that a seed chooses."""
    lines = [line for story in stories for line in story]
    random.Random(seed).shuffle(lines)
    return lines


def rows(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(statement), values).all())


def resurrected(engine: Engine, town: Town) -> list[str]:
    """What a database holds of residents who were erased."""
    states: list[TrajectoryState] = [
        read_trajectory_state(bytes(row.state)) for row in rows(engine, "SELECT state FROM trajectories")
    ]
    hashes = {town.hash_of(one.bsn): one for one in RESIDENTS}
    found = [
        f"{state.trajectory_id}: a client"
        for state in states
        for fact in state.facts
        for client in fact.clients
        if client.bsn in hashes
    ]
    alone = [one.trajectory for one in RESIDENTS if one.spouse is None]
    for table in ("tasks", "decisions", "found"):
        statement = f"SELECT trajectory_id FROM {table} WHERE trajectory_id = ANY(:alone)"  # noqa: S608 three names
        found += [f"{row.trajectory_id}: {table}" for row in rows(engine, statement, alone=alone)]
    numbers = [f"old-{one.number}" for one in RESIDENTS]
    statement = "SELECT signal_id FROM decisions WHERE signal_id = ANY(:numbers) AND match_key IS NOT NULL"
    found += [f"{row.signal_id}: decision" for row in rows(engine, statement, numbers=numbers)]
    races = [f"race-{one.number}" for one in RESIDENTS]
    statement = "SELECT signal_id FROM decisions WHERE signal_id = ANY(:races) AND trajectory_id IS NOT NULL"
    found += [f"{row.signal_id}: hit" for row in rows(engine, statement, races=races)]
    statement = "SELECT signal_id FROM task_signals WHERE signal_id = ANY(:numbers)"
    found += [f"{row.signal_id}: task" for row in rows(engine, statement, numbers=[*numbers, *races])]
    return found


def told_whither(product: Installation) -> list[str]:
    """Corrections by an erasure that say more than "let go"."""
    return [
        f"{one.signal_id}: {one.action}"
        for one in product.decisions()
        if one.cause is CorrectionCause.ERASED and one.action is not CorrectionAction.WITHDRAWN
    ]


def kept_by_intake(product: Installation, town: Town) -> list[str]:
    """Residents whose hash stands in the newest value of intake's table."""
    newest = {r.key: r.value for r in product.read("signaalwissel-intake-trajectories-changelog")}
    kept = [read_intake_trajectory(record_in(value)) for value in newest.values() if value is not None]
    gone = {town.hash_of(one.bsn) for one in RESIDENTS}
    return [
        one.trajectory_id
        for one in kept
        if any(client.bsn in gone for fact in one.facts for client in fact.clients)
        or (one.trajectory_id in {r.trajectory for r in RESIDENTS if r.spouse is None} and not one.erased)
    ]


def spouses_untouched(engine: Engine) -> list[str]:
    """Spouses whose stored signal did not stay a hit, or lost its task."""
    married = [one for one in RESIDENTS if one.spouse is not None]
    hits = {
        row.signal_id
        for row in rows(
            engine,
            "SELECT DISTINCT signal_id FROM decisions JOIN task_signals USING (signal_id)"
            " WHERE signal_id LIKE 'spouse-old-%' AND decisions.client = 1 AND decisions.sealed_subject IS NOT NULL",
        )
    }
    return [f"spouse-old-{one.number}" for one in married if f"spouse-old-{one.number}" not in hits]


def copied(database_url: str) -> str:
    """A copy of a database that nobody is connected to: a backup, restored under another name."""
    url = make_url(database_url)
    backup = f"{url.database}_backup"
    plain = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{backup}" TEMPLATE "{url.database}"')
    return url.set(database=backup).render_as_string(hide_password=False)


def stopped(process: Any) -> None:
    process.terminate()
    assert process.wait(40) == 0


def test_no_resurrection_whatever_races_and_none_after_a_restore(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    ledger = tmp_path / "erasures.jsonl"
    product = install(partitions=2, extra={"SIGNAALWISSEL_ERASURE_LEDGER": str(ledger)})
    town = Town(product, ledger)
    product.start("worker")
    sink = product.start("sink")
    stranger = [signal("stranger", STRANGER, LATER)]
    product.publish([line for one in RESIDENTS for line in one.before()])
    product.settle()
    product.publish([*(line for one in RESIDENTS for line in one.known()), *stranger])
    town.settle()
    # A backup from before, and then the races.
    stopped(sink)
    backup = copied(product.database_url)
    sink = product.start("sink")
    order = random.Random(7).sample(RESIDENTS, RACES)
    lines = mixed((one.racing() for one in RESIDENTS), 11)
    publisher = threading.Thread(target=product.publish, args=(lines,))
    publisher.start()
    for one in order:
        town.erase(one)
    publisher.join()
    town.settle()
    town_is_clean(town)
    # Everything once more, and one signal that is new.
    decided = len(product.decisions())
    product.publish(mixed((one.late() for one in RESIDENTS), 13))
    town.settle()
    assert len(product.decisions()) == decided
    town_is_clean(town)
    product.publish([signal("new", {"bsn": RESIDENTS[0].bsn}, LATE)])
    town.settle()
    (new,) = [one for one in product.decisions() if one.signal_id == "new"]
    assert (new.route.value, new.reason.value) == ("REGULAR_FLOW", "NO_TRAJECTORY")
    stopped(sink)
    restored_is_clean(town, backup)


def town_is_clean(town: Town) -> None:
    found = (
        resurrected(town.engine, town),
        told_whither(town.product),
        kept_by_intake(town.product, town),
        spouses_untouched(town.engine),
    )
    assert found == ([], [], [], [])
    assert rows(
        town.engine, "SELECT 1 FROM decisions WHERE signal_id = 'stranger' AND sealed_subject IS NOT NULL"
    )


def restored_is_clean(town: Town, backup: str) -> None:
    """A sink that starts on the old backup erases first, then reads what the topics still have."""
    restored = Installation.__new__(Installation)
    restored.__dict__.update(town.product.__dict__)
    restored.database_url = backup
    restored.settings = town.product.settings.model_copy(update={"database_url": _secret(backup)})
    engine = open_engine(backup, name="test")
    assert len(resurrected(engine, town)) >= RACES
    counted = Rights(restored)("ledger apply", town.ledger, "--dry-run", "--json")
    assert (counted.code, counted.json["erasures"]) == (1, RACES), counted.err
    restored.start("sink")
    restored.settle(sink=True)
    assert resurrected(engine, town) == []
    assert spouses_untouched(engine) == []
    again = Rights(restored)("ledger apply", town.ledger, "--json")
    assert (again.code, again.json["erasures"]) == (0, 0), again.err


def _secret(url: str) -> Any:

    return SecretStr(url)
