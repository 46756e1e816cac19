"""Objections of residents (AVG 21), also of those who have no trajectory yet (domain 8.6, 8.12).

Flows in: objections and their withdrawals, and every state of a trajectory. Flows out: rows, the commands by which
intake, matcher and `rebuild` know of an objection, and a notice where no trajectory's facts lead to one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.clients import fold_clients
from signaalwissel.processors.followup_notices import Notice, digest, notice_id
from signaalwissel.processors.subject import Membership, Person
from signaalwissel.processors.trajectory import fold
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import NoticeKind
from signaalwissel.schemas.internal import IntakeCommand, IntakeCommandKind, TrajectoryState
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks import notices, outbox
from signaalwissel.sinks.copying import millis_of, moment_of
from signaalwissel.sinks.outbox import Entry
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.subject_erasure import command_id, intake_entry
from signaalwissel.sinks.subject_search import Holdings
from signaalwissel.sinks.subject_tables import objections
from signaalwissel.sinks.tables import outbox as outbox_table
from signaalwissel.sinks.tables import trajectories
from sqlalchemy import Connection, Engine, Row, Select, select


class Objection(NamedTuple):
    """An objection that stands."""

    objection_id: str
    person: Person
    lodged_on: date
    lodged_at: Millis


class Said(NamedTuple):
    """An objection or a withdrawal as it is recorded: its id, from which day, and when."""

    request_id: str
    on: date
    at: Millis


def lodge(connection: Connection, holdings: Holdings, said: Said, settings: SinkSettings) -> Objection:
    """Record an objection that counts from a day, and send it to each of the resident's trajectories.

    One that stands already stays as it is, and is given.
    """
    if standing := of_person(connection, holdings.person):
        return standing[0]
    objection = Objection(said.request_id, holdings.person, said.on, said.at)
    connection.execute(objections.insert(), _row(objection))
    entries = [_command(objection, one, settings) for one in holdings.memberships]
    if not entries:
        entries = _noticed(connection, objection, NoticeKind.OBJECTION_RECORDED, said, settings)
    outbox.put(connection, entries, settings)
    return objection


def withdraw(connection: Connection, holdings: Holdings, said: Said, settings: SinkSettings) -> int:
    """End every objection of a resident from a day on, one that a case system told of too; gives how many ended."""
    standing = of_person(connection, holdings.person)
    connection.execute(
        objections.update()
        .where(objections.c.objection_id.in_([one.objection_id for one in standing]))
        .values(withdrawn_on=said.on, withdrawn_at=moment_of(said.at))
    )
    objecting = [
        one for one in holdings.memberships if standing or _objects(holdings.states[one.trajectory_id], one)
    ]
    entries = [intake_entry(_withdrawal(holdings.person, one, said), settings) for one in objecting]
    if standing and not entries:
        kind = NoticeKind.OBJECTION_WITHDRAWN
        for one in standing:
            entries += _noticed(connection, one, kind, said, settings)
    outbox.put(connection, entries, settings)
    return max(len(standing), len(objecting))


def of_person(connection: Connection, person: Person) -> list[Objection]:
    """The objections of a resident that stand."""
    return [one for one in _standing(connection, [person.municipality]) if _same(one.person, person)]


def kept_of_person(connection: Connection, person: Person) -> list[tuple[Objection, date | None]]:
    """The objections of a resident that are kept, each with the day of its withdrawal."""
    return [
        (one, row.withdrawn_on)
        for row in connection.execute(_in_order([person.municipality]))
        if _same((one := _objection(row)).person, person)
    ]


def forget_withdrawn(connection: Connection, person: Person) -> None:
    """Forget the withdrawn objections of an erased resident; one that stands must be honoured if he comes back."""
    withdrawn = _in_order([person.municipality]).where(objections.c.withdrawn_on.is_not(None))
    his = [
        one.objection_id
        for one in map(_objection, connection.execute(withdrawn))
        # An erasure that is done again knows of him his own keys alone.
        if _same(one.person, person) or not one.person.own_keys.isdisjoint(person.own_keys)
    ]
    connection.execute(objections.delete().where(objections.c.objection_id.in_(his)))


def follow(connection: Connection, states: Sequence[TrajectoryState], settings: SinkSettings) -> None:
    """Let standing objections take effect in trajectories that are new, or that turn out to be an objector's."""
    standing = _standing(connection, {state.municipality for state in states}) if states else []
    if not standing:
        return
    entries = {entry.aggregate_id: entry for state in states for entry in _due(state, standing, settings)}
    given = select(outbox_table.c.aggregate_id).where(outbox_table.c.aggregate_id.in_(entries))
    for known in connection.execute(given).scalars():
        del entries[known]
    outbox.put(connection, entries.values(), settings)


def give_again(engine: Engine, settings: SinkSettings) -> int:
    """Have the relay send every standing objection once more, after a rebuild; gives how many commands that are.

    Each keeps its id, so intake drops what it has.
    """
    with engine.begin() as connection:
        entries = list(_all_due(connection, settings))
        outbox.forget(connection, [entry.aggregate_id for entry in entries])
        outbox.put(connection, entries, settings)
        return len(entries)


def count_standing(engine: Engine, settings: SinkSettings) -> int:
    """How many commands `give_again` would send."""
    with engine.connect() as connection:
        return sum(1 for _ in _all_due(connection, settings))


def _all_due(connection: Connection, settings: SinkSettings) -> Iterator[Entry]:
    standing = _standing(connection, None)
    municipalities = {one.person.municipality for one in standing}
    if not municipalities:
        return
    rows = connection.execute(
        select(trajectories.c.state).where(
            trajectories.c.municipality.in_(municipalities), ~trajectories.c.erased
        )
    )
    for row in rows:
        yield from _due(read_trajectory_state(bytes(row.state)), standing, settings, given=True)


def _due(
    state: TrajectoryState, standing: Iterable[Objection], settings: SinkSettings, *, given: bool = False
) -> Iterator[Entry]:
    """The commands that a trajectory lacks; with `given` those too that it has."""
    known = set() if given else {fact.event_id for fact in state.facts}
    clients = () if state.erased else fold_clients(state.facts)
    for one in standing:
        if one.person.municipality != state.municipality:
            continue
        for position, identity in enumerate(clients):
            membership = Membership(state.trajectory_id, position, alone=len(clients) == 1)
            if one.person.is_client(identity) and command_id(one.objection_id, membership) not in known:
                yield _command(one, membership, settings)


def _standing(connection: Connection, municipalities: Collection[str] | None) -> list[Objection]:
    rows = connection.execute(_in_order(municipalities).where(objections.c.withdrawn_on.is_(None)))
    return [_objection(row) for row in rows]


def _in_order(municipalities: Collection[str] | None) -> Select[Any]:
    statement = select(objections).order_by(objections.c.lodged_at, objections.c.objection_id)
    if municipalities is None:
        return statement
    return statement.where(objections.c.municipality.in_(municipalities))


def _same(one: Person, other: Person) -> bool:
    if one.bsn is not None and other.bsn is not None:
        return one.bsn == other.bsn
    shared = one.birth_date is not None and one.birth_date == other.birth_date
    return shared and not one.addresses.isdisjoint(other.addresses)


def _objects(state: TrajectoryState, membership: Membership) -> bool:
    trajectory = fold(state.trajectory_id, state.facts)
    return trajectory is not None and any(
        period.end is None for period in trajectory.clients[membership.client].objections
    )


def _command(objection: Objection, membership: Membership, settings: SinkSettings) -> Entry:
    command = IntakeCommand(
        command_id=command_id(objection.objection_id, membership),
        kind=IntakeCommandKind.OBJECT,
        municipality=objection.person.municipality,
        trajectory_id=membership.trajectory_id,
        client=membership.client,
        occurred_on=objection.lodged_on,
        issued_at=objection.lodged_at,
    )
    return intake_entry(command, settings)


def _withdrawal(person: Person, membership: Membership, said: Said) -> IntakeCommand:
    return IntakeCommand(
        command_id=command_id(said.request_id, membership),
        kind=IntakeCommandKind.WITHDRAW_OBJECTION,
        municipality=person.municipality,
        trajectory_id=membership.trajectory_id,
        client=membership.client,
        occurred_on=said.on,
        issued_at=said.at,
    )


def _noticed(
    connection: Connection, objection: Objection, kind: NoticeKind, said: Said, settings: SinkSettings
) -> list[Entry]:
    municipality, bsn = objection.person.municipality, objection.person.bsn
    # As the facts of a trajectory would address him; without a BSN there is only the objection itself.
    addressee = (
        digest(municipality, "bsn", bsn.hex()) if bsn else digest(municipality, objection.objection_id)
    )
    notice = Notice(
        notice_id=notice_id(kind, municipality, objection.objection_id),
        kind=kind,
        municipality=municipality,
        addressee=f"resident-{addressee}",
        occurred_on=said.on,
    )
    made = notices.record(connection, [notice])
    return [outbox.notice_entry(one, settings) for one in made]


def _row(objection: Objection) -> dict[str, Any]:
    person = objection.person
    return {
        "objection_id": objection.objection_id,
        "municipality": person.municipality,
        "bsn": person.bsn,
        "birth_date": person.birth_date,
        "addresses": sorted(person.addresses),
        "match_keys": sorted(person.match_keys),
        "lodged_on": objection.lodged_on,
        "lodged_at": moment_of(objection.lodged_at),
    }


def _objection(row: Row[Any]) -> Objection:
    person = Person(
        municipality=row.municipality,
        bsn=None if row.bsn is None else bytes(row.bsn),
        birth_date=None if row.birth_date is None else bytes(row.birth_date),
        addresses=frozenset(map(bytes, row.addresses)),
        match_keys=frozenset(map(bytes, row.match_keys)),
    )
    return Objection(row.objection_id, person, row.lodged_on, millis_of(row.lodged_at))
