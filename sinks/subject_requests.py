"""A resident's requests, each carried out in one transaction that also records it: export, erasure, objection.

Flows in: who is meant and who asks on which ground. Flows out: what was found, and a row that says so without naming
anybody.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from signaalwissel.processors.processing_lines import Line, Subject, resident, trace_from
from signaalwissel.processors.processing_register import Purpose, Register
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject import Person
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks import subject_objections
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.destruction import Destruction, Why
from signaalwissel.sinks.ledger import CONSOLE, Event, EventKind, Ledger
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.subject_erasure import Erasure, erase
from signaalwissel.sinks.subject_objections import Said
from signaalwissel.sinks.subject_rows import handed_over, rows_of
from signaalwissel.sinks.subject_search import Holdings, search
from signaalwissel.sinks.subject_tables import subject_requests
from signaalwissel.sinks.task_lock import lock_tasks
from sqlalchemy import Connection, select


class RequestKind(StrEnum):
    """What a resident asks."""

    EXPORT = "EXPORT"
    ERASE = "ERASE"
    OBJECT = "OBJECT"
    WITHDRAW_OBJECTION = "WITHDRAW_OBJECTION"


class Ask(NamedTuple):
    """A request: its id, the legal ground, which officer handles it and when."""

    request_id: str
    ground: str
    asked_by: str
    at: Millis


class Exported(NamedTuple):
    """What was found, and the rows."""

    holdings: Holdings
    rows: dict[str, list[dict[str, Any]]]


class Erased(NamedTuple):
    """What was found and is gone; `open_klant` are internetaken that only their owner can delete."""

    holdings: Holdings
    open_klant: list[str]


def look(engine: Database, person: Person, keys: KeyProvider) -> Holdings:
    """What the database holds of a resident; nothing is changed or recorded."""
    with engine.connect() as connection:
        return search(connection, person, keys)


def export(
    engine: Database, person: Person, keys: KeyProvider, ask: Ask, register_of: Callable[[str], Register]
) -> Exported:
    """Everything that the database holds of a resident, of one moment; given out when that is on record."""
    of_one_moment = engine.execution_options(isolation_level="REPEATABLE READ")
    with of_one_moment.begin() as connection:
        holdings = search(connection, person, keys)
        rows = rows_of(connection, holdings)
    ledger = Ledger(CONSOLE, register_of)
    with engine.begin() as connection:
        _record(connection, ledger, RequestKind.EXPORT, ask, _Found(holdings.person, holdings.counts()))
    return Exported(holdings, rows)


def erase_now(
    engine: Database,
    person: Person,
    keys: KeyProvider,
    ask: Ask,
    settings: "Means",
) -> Erased:
    """Erase a resident from the database, and have the relay tell matcher and intake.

    Raises:
        SubjectUnclear: Two residents are meant.
        KeyUnavailable: A key cannot be had now.
    """
    with engine.begin() as connection:
        lock_tasks(connection)
        holdings = search(connection, person, keys)
        open_klant = handed_over(connection, holdings)
        ids = LedgerIds(keys.pseudonym_keys(person.municipality).hashed)
        entries = ledger_entries(holdings, Erasure(ask.request_id, ask.at), ids)
        # First: a backup of the database may be older than this moment, and then only the file knows.
        settings.keep(entries)
        ledger = Ledger(CONSOLE, settings.register_of)
        destruction = Destruction(connection, ledger, Why.ERASED)
        erase(destruction, holdings, Erasure(ask.request_id, ask.at), entries, settings.sink)
        subject_objections.forget_withdrawn(connection, holdings.person)
        _record(connection, ledger, RequestKind.ERASE, ask, _Found(holdings.person, holdings.counts()))
    return Erased(holdings, open_klant)


class Means(NamedTuple):
    """How commands leave, which activities these are, and where the ledger is kept beside the database."""

    sink: SinkSettings
    register_of: Callable[[str], Register]
    keep: Callable[[Sequence[LedgerEntry]], None] = lambda _: None


def object_now(
    engine: Database, person: Person, keys: KeyProvider, asked: "Objecting", means: Means
) -> Holdings:
    """Record an objection or its withdrawal; gives what it is about.

    Raises:
        NothingStands: There is no objection to withdraw.
    """
    ask = asked.ask
    with engine.begin() as connection:
        lock_tasks(connection)
        holdings = search(connection, person, keys)
        found = _Found(holdings.person, {"trajectories": len(holdings.memberships)})
        ledger = Ledger(CONSOLE, means.register_of)
        if asked.withdraws:
            ended = subject_objections.withdraw(connection, holdings, asked.said, means.sink)
            if not ended:
                raise NothingStands
            found.counts["objections"] = ended
            _record(connection, ledger, RequestKind.WITHDRAW_OBJECTION, ask, found)
        else:
            subject_objections.lodge(connection, holdings, asked.said, means.sink)
            _record(connection, ledger, RequestKind.OBJECT, ask, found)
    return holdings


class Objecting(NamedTuple):
    """An objection, or its withdrawal, that is asked for."""

    ask: Ask
    said: Said
    withdraws: bool


class NothingStands(Exception):
    """There is no objection of this resident that could be withdrawn."""


def requests(engine: Database, limit: int) -> list[dict[str, Any]]:
    """The latest requests, newest first."""
    newest = subject_requests.c.handled_at.desc()
    with engine.connect() as connection:
        rows = connection.execute(select(subject_requests).order_by(newest).limit(limit))
        return [{**row._asdict(), "handled_at": row.handled_at.isoformat()} for row in rows]


def ledger_entries(holdings: Holdings, erasure: Erasure, ids: LedgerIds) -> list[LedgerEntry]:
    """What the ledger must know of an erasure."""
    opaque = [
        *((LedgerKind.SIGNAL, ids.signal(ref)) for ref in holdings.signals),
        *((LedgerKind.CLIENT, ids.client(one.trajectory_id, one.client)) for one in holdings.memberships),
        *(
            (LedgerKind.DEAD_LETTER, ids.dead_letter(one.row.dead_letter_id))
            for one in holdings.letters
            if not one.shared
        ),
        *((LedgerKind.MATCH_KEY, key) for key in sorted(holdings.person.own_keys)),
    ]
    municipality = holdings.person.municipality
    return [LedgerEntry(erasure.erasure_id, kind, value, municipality, erasure.at) for kind, value in opaque]


class _Found(NamedTuple):
    person: Person
    counts: dict[str, int]


_ACCOUNTED = {
    RequestKind.EXPORT: (EventKind.DATA_EXPORTED, Purpose.DATA_EXPORTED),
    RequestKind.ERASE: (EventKind.DATA_ERASED, Purpose.DATA_ERASED),
    RequestKind.OBJECT: (EventKind.OBJECTION_KEPT, Purpose.OBJECTION_KEPT),
    RequestKind.WITHDRAW_OBJECTION: (EventKind.OBJECTION_KEPT, Purpose.OBJECTION_KEPT),
}


def _record(connection: Connection, ledger: Ledger, kind: RequestKind, ask: Ask, found: _Found) -> None:
    """Record the request; with the ledger, that it was carried out: by whom, and whose data it was."""
    municipality = found.person.municipality
    connection.execute(
        subject_requests.insert(),
        {
            "request_id": ask.request_id,
            "kind": kind.value,
            "municipality": municipality,
            "ground": ask.ground,
            "asked_by": ask.asked_by,
            "handled_at": moment_of(ask.at),
            "found": found.counts,
        },
    )
    event, purpose = _ACCOUNTED[kind]
    trace_id = trace_from(ask.request_id)
    about = {"request": kind.value, "ground": ask.ground}
    ledger.event(Event(event, ask.asked_by, ask.request_id, municipality, trace_id, about))
    # One who is known by nothing but an address shares its key with others: no line says that it was about him.
    whose: list[Subject | None] = [resident(key) for key in sorted(found.person.own_keys)]
    ledger.lines(
        Line(purpose, municipality, ask.request_id, trace_id, subject, ask.at) for subject in whose or [None]
    )
    ledger.store(connection)
