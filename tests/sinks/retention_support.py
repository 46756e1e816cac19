"""A sink's database, a moment that the test sets, day keys in a folder, and retention that works on all three; no Kafka."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from signaalwissel.processors.amsterdam import start_of_day
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.sealing import KeyUnavailable, SealBroken, seal, unseal
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerKind
from signaalwissel.schemas.internal import DeadLetter, TrajectoryState
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEventKind
from signaalwissel.schemas.units import Millis
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks import holds as holding
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.holds import Hold, Wanted
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.retention_report import Asked, Report, report
from signaalwissel.sinks.retention_round import Done, RetentionRound, Tools
from signaalwissel.sinks.retention_tables import retention_days
from signaalwissel.sinks.subject_tables import objections, subject_requests
from signaalwissel.sinks.tables import METADATA
from signaalwissel.sinks.writer import Writer
from sqlalchemy import Connection, Table, insert

from tests.processors.followup_support import MUNICIPALITY, at_noon
from tests.processors.given import policy_with
from tests.sinks.clock_support import Office, state
from tests.sinks.sink_support import seal as seal_letter

REASON = "Dat staat in de wet."
ASKED = date(2021, 3, 31)
"""When a resident asked something."""
_Kind = TrajectoryEventKind


def kept_policy(*, signal: int = 6, trajectory: int = 60, entrepreneur: int = 84, **more: Any) -> Policy:
    """The default policy with these periods, in months."""
    periods = {
        "signal": {"months": signal, "justification": REASON},
        "trajectory": {"months": trajectory, "justification": REASON},
        "trajectory_of_entrepreneur": {"months": entrepreneur, "justification": REASON},
    }
    return policy_with(retention=periods, **more)


class SetMoment:
    """A moment that the test sets."""

    def __init__(self, moment: Millis) -> None:
        self.moment = moment

    def now(self, _: Connection) -> Millis:
        return self.moment


class Archive(Office):
    """An office whose data goes when its period is over."""

    def __init__(self, database_url: str, folder: Path, policy: Policy | None = None, **changes: Any) -> None:
        one = policy or kept_policy()
        super().__init__(database_url, Policies(one, {MUNICIPALITY: one}), clock=False, **changes)
        self.keys = LocalKeys(folder / "keys")
        self.keys.create(MUNICIPALITY)
        self.moment = SetMoment(0)

    def tools(self) -> Tools:
        return Tools(self.keys, self.moment)

    def run(self, at: Millis) -> dict[str, int]:
        """Destroy what is over at a moment; gives what that was, by kind."""
        self.moment.moment = at
        counts: dict[str, int] = {}
        with self.engine.connect() as connection:
            done: Done
            for done in RetentionRound(self.settings, self.policies, self.tools()).batches(connection):
                counts[done.kind.value] = counts.get(done.kind.value, 0) + done.destroyed
        return counts

    def years_pass(self, until: date) -> None:
        """Let the keys of all days up to one have gone, each in its time: a run far ahead has not to make up for them."""
        gone = {"municipality": MUNICIPALITY, "day": until, "key_destroyed_at": moment_of(at_noon(until))}
        with self.engine.begin() as connection:
            connection.execute(insert(retention_days).values(gone))

    def report(self, at: Millis) -> Report:
        self.moment.moment = at
        return report(self.engine, Asked(self.settings, self.policies, self.moment))

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """What every table says."""
        return {table.name: self.rows(table) for table in METADATA.sorted_tables}

    def count(self, table: Table) -> int:
        return len(self.rows(table))

    def sealed(self, day: date) -> bytes:
        """Something sealed under the key of a day."""
        return seal(b"wie", self.keys.day_key(MUNICIPALITY, day), "test", bytes(12))

    def opens(self, sealed: bytes) -> bool:
        """Whether it opens, for a process that starts now."""
        fresh = LocalKeys(self.keys._folder)
        try:
            return unseal(sealed, "test", fresh.by_id) == b"wie"
        except (KeyUnavailable, SealBroken):
            return False


def around(last_day: date) -> tuple[Millis, Millis]:
    """A second before, and a second after, the midnight that ends the last day on which something is kept."""
    midnight = start_of_day(last_day + timedelta(days=1))
    return midnight - 1000, midnight + 1000


def ended(
    trajectory_id: str, ended_on: date, *, entrepreneur: bool | None = None, **changes: Any
) -> TrajectoryState:
    """A trajectory that was completed on a day."""
    told = [(_Kind.APPLIED, ended_on - timedelta(days=500)), (_Kind.EXITED, ended_on)]
    made = state(*told)
    facts = tuple(
        fact._replace(
            exit_reason=ExitReason.COMPLETED if fact.kind is _Kind.EXITED else None, entrepreneur=entrepreneur
        )
        for fact in made.facts
    )
    return made._replace(trajectory_id=trajectory_id, facts=facts, **changes)


def hold(archive: Archive, trajectory_id: str | None, until: date, at: date) -> Hold:
    """Place a hold on a day."""
    archive.moment.moment = at_noon(at)
    wanted = Wanted(MUNICIPALITY, trajectory_id, "een procedure loopt", until)
    return holding.place(archive.engine, wanted, archive.moment)


def letters(archive: Archive, *days: date, municipality: str | None = MUNICIPALITY) -> None:
    """Store dead letters of these days."""
    made = [
        DeadLetter(
            f"dl-{municipality}-{day}",
            "intake",
            "signals",
            0,
            n,
            at_noon(day),
            "UNREADABLE",
            None,
            "",
            municipality,
            None,
            b"x",
        )
        for n, day in enumerate(days)
    ]
    with archive.engine.begin() as connection:
        Writer(archive.settings, archive.policies, seal_letter, archive.time).store(
            connection, Batch(dead_letters=made)
        )


def request(archive: Archive) -> None:
    """Store that somebody asked for an export."""
    row = {
        "request_id": "r-1",
        "kind": "EXPORT",
        "municipality": MUNICIPALITY,
        "ground": "AVG 15",
        "asked_by": "po-3",
        "handled_at": moment_of(at_noon(ASKED)),
        "found": {},
    }
    with archive.engine.begin() as connection:
        connection.execute(subject_requests.insert(), row)


def erasure() -> LedgerEntry:
    """An entry of the erasure ledger."""
    return LedgerEntry("e-1", LedgerKind.SIGNAL, b"opaque", MUNICIPALITY, at_noon(ASKED))


def objection(archive: Archive, withdrawn: date | None) -> None:
    """Store an objection that stands, or was withdrawn on a day."""
    row = {
        "objection_id": f"o-{withdrawn}",
        "municipality": MUNICIPALITY,
        "addresses": [],
        "match_keys": [b"key-1", b"key-2"],
        "lodged_on": ASKED,
        "lodged_at": moment_of(at_noon(ASKED)),
        "withdrawn_on": withdrawn,
        "withdrawn_at": None if withdrawn is None else moment_of(at_noon(withdrawn)),
    }
    with archive.engine.begin() as connection:
        connection.execute(objections.insert(), row)
