"""Facts in order folded into what lasted: when a trajectory ran, what was open, who took part and lived where."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.oracle.intake import standing_facts
from tests.oracle.model import Identity, Period, Record
from tests.oracle.naming import concerned
from tests.oracle.validity import LISTING_KINDS, OBJECTION_KINDS, must_name_its_client
from tests.oracle.wording import address_of

_ALWAYS = ("ERASED", "WITHDRAWN_IN_ERROR")


@dataclass
class Client:
    """One client of a trajectory as the facts leave him."""

    bsn: str | None = None
    birth_date: date | None = None
    surname: str | None = None
    running: list[Period] = field(default_factory=list)
    member: list[Period] = field(default_factory=list)
    objections: list[Period] = field(default_factory=list)
    addresses: list[tuple[Identity, Period]] = field(default_factory=list)
    first_address_from: int | None = None


@dataclass
class Trajectory:
    """A trajectory as the facts that count leave it."""

    id: str
    clients: list[Client]
    services: dict[str, list[Period]] = field(default_factory=dict)
    monitoring: list[Period] = field(default_factory=list)
    aftercare: list[Period] = field(default_factory=list)
    admitted_on: date | None = None
    counsellor: tuple[str, str] | None = None


def counting_facts(events: Sequence[Record], too_late: datetime) -> list[Record]:
    """The facts before the horizon in their order; none when there is no trajectory (any more)."""
    facts = [
        fact for fact in standing_facts(events) if fact["kind"] in _ALWAYS or fact["recorded_at"] < too_late
    ]
    facts.sort(key=lambda fact: (fact["sequence"], fact["event_id"]))
    last = {fact["kind"]: fact["sequence"] for fact in facts}
    if "ERASED" in last or "APPLIED" not in last:
        return []
    withdrawn_at = last.get("WITHDRAWN_IN_ERROR")
    return facts if withdrawn_at is None or last["APPLIED"] > withdrawn_at else []


def fold(trajectory_id: str, facts: Sequence[Record]) -> Trajectory:
    """The trajectory that the ordered facts make."""
    lists = [fact["clients"] for fact in facts if fact["kind"] in LISTING_KINDS]
    it = Trajectory(trajectory_id, [Client() for _ in range(max(map(len, lists)))])
    for clients in lists:
        for client, listed in zip(it.clients, clients, strict=False):
            client.bsn = listed["bsn"] or client.bsn
            client.birth_date = listed["birth_date"] or client.birth_date
            client.surname = listed["surname"] or client.surname
    changes = [number for number, fact in enumerate(facts) if fact["kind"] == "CLIENT_CHANGED"]
    for number, fact in enumerate(facts):
        if fact["counsellor"] is not None:
            it.counsellor = (fact["counsellor"]["counsellor_id"], fact["counsellor"]["team"])
        if fact["kind"] in LISTING_KINDS:
            _list_clients(it, fact, number, changes)
        _apply(it, fact, facts)
    return it


def _apply(it: Trajectory, fact: Record, facts: Sequence[Record]) -> None:
    kind, day = fact["kind"], fact["occurred_on"]
    if kind == "ADMITTED":
        it.admitted_on = day
    elif kind in ("EXITED", "REFUSED"):
        for client in _clients_that_leave(it, fact, facts):
            _end(client.running, day, fact["exit_reason"] if kind == "EXITED" else "REFUSED")
    elif kind in ("APPLIED", "REOPENED"):
        for client in it.clients:
            if kind == "APPLIED" and client.running:
                client.running[0].begin = day
            else:
                _begin(client.running, day)
    else:
        for periods, begins in _spans(it, fact, facts):
            (_begin if begins else _end)(periods, day)


def _spans(it: Trajectory, fact: Record, facts: Sequence[Record]) -> list[tuple[list[Period], bool]]:
    """The periods that the event begins (True) or ends (False)."""
    kind = fact["kind"]
    if kind in OBJECTION_KINDS:
        return [
            (it.clients[position].objections, kind == "OBJECTION_LODGED")
            for position in concerned(facts, fact).positions
        ]
    if kind in ("SERVICE_OPENED", "SERVICE_CLOSED"):
        return [(it.services.setdefault(fact["service"], []), kind == "SERVICE_OPENED")]
    if kind in ("MONITORING_STARTED", "MONITORING_ENDED"):
        return [(it.monitoring, kind == "MONITORING_STARTED")]
    if kind in ("AFTERCARE_STARTED", "AFTERCARE_ENDED"):
        return [(it.aftercare, kind == "AFTERCARE_STARTED")]
    return []


def _begin(periods: list[Period], day: date) -> None:
    if periods and periods[-1].end is None:
        periods[-1].begin = day
    else:
        periods.append(Period(day))


def _end(periods: list[Period], day: date, reason: str | None = None) -> None:
    if not periods:
        return
    mended = periods[-1]
    is_open_and_later = mended.end is None and mended.begin is not None and day < mended.begin
    if is_open_and_later and len(periods) > 1:
        mended = periods[-2]
    mended.end, mended.reason = day, reason


def _clients_that_leave(it: Trajectory, fact: Record, facts: Sequence[Record]) -> list[Client]:
    leaving = [it.clients[position] for position in concerned(facts, fact).positions]
    if fact["clients"] or must_name_its_client(fact) or len(it.clients) == 1:
        return leaving
    return [client for client in leaving if _last_end_reason(client) != "DECEASED"]


def _last_end_reason(client: Client) -> str | None:
    ended = [period for period in client.running if period.end is not None]
    return ended[-1].reason if ended else None


def _list_clients(it: Trajectory, fact: Record, number: int, changes: list[int]) -> None:
    day = fact["occurred_on"]
    for position, client in enumerate(it.clients):
        if position < len(fact["clients"]):
            _list(client, day)
            _house(client, fact, address_of(fact["clients"][position]), (number, changes))
        else:
            _leave(client, day)


def _list(client: Client, day: date) -> None:
    """The first time he takes part from the beginning, like a first address; back again from that day."""
    if not client.member:
        client.member.append(Period(None))
    elif client.member[-1].end is not None:
        client.member.append(Period(day))


def _leave(client: Client, day: date) -> None:
    """The day on which he is first left out stands; that later lists leave him out as well says nothing new."""
    if client.member and client.member[-1].end is None:
        client.member[-1].end = day
    if client.addresses and client.addresses[-1][1].end is None:
        client.addresses[-1][1].end = day


def _house(client: Client, fact: Record, address: Identity | None, place: tuple[int, list[int]]) -> None:
    number, changes = place
    since = client.first_address_from
    if fact["kind"] == "APPLIED" and since is not None and not any(since < n < number for n in changes):
        client.addresses, client.first_address_from = (
            [],
            None,
        )  # the application told anew: its address is the first
    day = fact["occurred_on"]
    standing = client.addresses[-1] if client.addresses and client.addresses[-1][1].end is None else None
    if address is None:
        if standing is not None:
            standing[1].end = day
    elif not client.addresses:
        client.addresses.append((address, Period(None)))
        if client.first_address_from is None:
            client.first_address_from = number
    elif standing is None:
        client.addresses.append((address, Period(day)))
    else:
        _move(client, address, day)


def _move(client: Client, address: Identity, day: date) -> None:
    old, period = client.addresses[-1]
    is_back_dated = period.begin is not None and day <= period.begin
    if not is_back_dated:
        if address != old:
            period.end = day
            client.addresses.append((address, Period(day)))
        return
    client.addresses[-2][1].end = day
    client.addresses[-1] = (address, Period(day))
