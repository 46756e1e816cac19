"""A small town, so that things collide: three people, two addresses, three trajectories, dates within a year.

Out: strategies of what case systems and partners send, and of the order in which it arrives.
"""

from datetime import date
from typing import NamedTuple

from hypothesis import strategies as st
from signaalwissel.schemas.internal import ResidentCommandKind
from signaalwissel.schemas.signal import EarlySignal, Partner, PartnerKind, Subject
from signaalwissel.schemas.trajectory import (
    Counsellor,
    ExitReason,
    Service,
    TrajectoryEvent,
    TrajectoryEventKind,
)

from tests.processors.keyed import noon

Kind = TrajectoryEventKind
HOME, AWAY = ("3511AB", 12, None), ("3512CD", 3, "A")
BORN, BORN_TOO = date(1980, 5, 17), date(1979, 11, 2)

ANNA = Subject("111222333", *HOME, BORN, surname="Jansen")
BRAM = Subject("123456782", *HOME, BORN_TOO, surname="de Vries")
# The twin has Anna's birth date, and nobody knows a BSN.
TWIN = Subject(None, *HOME, BORN, surname="Jansen")
STRANGER = Subject("999990019", *AWAY, date(1960, 3, 3), surname="Bakker")
LISTS = (
    (ANNA,),
    (BRAM,),
    (TWIN,),
    (ANNA, BRAM),
    (TWIN, BRAM),
    (ANNA._replace(birth_date=None),),
    (ANNA._replace(postcode=AWAY[0], house_number=AWAY[1], house_number_addition=AWAY[2]),),
    (ANNA._replace(postcode=AWAY[0], house_number=AWAY[1], house_number_addition=AWAY[2]), BRAM),
    (BRAM._replace(postcode=None, house_number=None),),
)
REPORTED = (
    *[Subject(bsn=ANNA.bsn)] * 3,
    Subject(bsn=BRAM.bsn),
    Subject(None, *HOME, BORN),
    Subject(None, *HOME, BORN_TOO, surname="Vries"),
    Subject(None, *HOME),
    Subject(None, *HOME, surname="JANSEN"),
    Subject(None, *AWAY, BORN),
    Subject(None, *AWAY),
)
DAYS = [
    date(2025, 7, 1),
    date(2025, 8, 30),
    date(2025, 8, 31),
    date(2025, 9, 1),
    date(2025, 11, 15),
    date(2026, 1, 10),
    date(2026, 2, 1),
    date(2026, 2, 2),
    date(2026, 2, 27),
    date(2026, 2, 28),
    date(2026, 3, 1),
    date(2026, 4, 20),
]
# Among them just within and just beyond the horizon of a signal of 1 February.
RECORDED = [*DAYS, date(2026, 3, 8), date(2026, 3, 9), date(2026, 6, 30)]
RECEIVED = [date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 10)]
# What ends, opens or names somebody is drawn more often than what changes no route.
KINDS = [
    *[Kind.EXITED] * 6,
    *[Kind.CLIENT_CHANGED, Kind.SERVICE_OPENED, Kind.AFTERCARE_STARTED] * 3,
    *[Kind.OBJECTION_LODGED, Kind.OBJECTION_WITHDRAWN, Kind.APPLIED, Kind.REOPENED, Kind.MONITORING_STARTED]
    * 2,
    *[Kind.SERVICE_CLOSED, Kind.AFTERCARE_ENDED, Kind.MONITORING_ENDED, Kind.REFUSED, Kind.ADMITTED],
    *[Kind.ERASED, Kind.WITHDRAWN_IN_ERROR, Kind.COUNSELLOR_ASSIGNED, Kind.PLAN_ADOPTED],
]


_ABOUT_ONE_SIGNAL = [kind for kind in ResidentCommandKind if kind is not ResidentCommandKind.ERASE_RESIDENT]


class Command(NamedTuple):
    """Something said about the signal of that number."""

    kind: ResidentCommandKind
    signal: int
    trajectory_id: str
    client: int


class Town(NamedTuple):
    """What case systems and partners send."""

    events: tuple[TrajectoryEvent, ...]
    signals: tuple[EarlySignal, ...]


@st.composite
def events_of(draw: st.DrawFn, trajectory_id: str) -> list[TrajectoryEvent]:
    """The events of one trajectory, the application first, then in no order."""
    applied = draw(_event(trajectory_id, 0, Kind.APPLIED))
    rest = [
        draw(_event(trajectory_id, number, draw(st.sampled_from(KINDS))))
        for number in range(1, draw(st.integers(1, 5)))
    ]
    return [applied, *rest]


@st.composite
def _event(draw: st.DrawFn, trajectory_id: str, number: int, kind: Kind) -> TrajectoryEvent:
    clients: tuple[Subject, ...] = ()
    exit_reason = draw(st.sampled_from(_REASONS)) if kind is Kind.EXITED else None
    if kind in {Kind.APPLIED, Kind.CLIENT_CHANGED}:
        clients = draw(st.sampled_from(LISTS))
    elif kind in {Kind.OBJECTION_LODGED, Kind.OBJECTION_WITHDRAWN, Kind.EXITED}:
        clients = draw(st.sampled_from([(ANNA,), (BRAM,), (TWIN,), (ANNA, STRANGER), (STRANGER,), ()]))
    if kind is Kind.EXITED and exit_reason is not ExitReason.DECEASED:
        clients = draw(st.sampled_from([(), (), clients]))
    service = kind in {Kind.SERVICE_OPENED, Kind.SERVICE_CLOSED}
    owner = draw(st.sampled_from([None, Counsellor("b-17", "noord"), Counsellor("b-18", "zuid")]))
    return TrajectoryEvent(
        event_id=f"{trajectory_id}-{number}",
        trajectory_id=trajectory_id,
        municipality="0344",
        sequence=draw(st.integers(0, 5) if number else st.sampled_from([0, 0, 3])),
        occurred_on=draw(st.sampled_from(DAYS if number else DAYS[:8])),
        recorded_at=noon(draw(st.sampled_from(RECORDED))),
        kind=kind,
        clients=clients,
        counsellor=owner or (Counsellor("b-19", "oost") if kind is Kind.COUNSELLOR_ASSIGNED else None),
        exit_reason=exit_reason,
        service=draw(st.sampled_from(_SERVICES)) if service else None,
    )


_REASONS = [ExitReason.COMPLETED, ExitReason.COMPLETED, ExitReason.SELF, ExitReason.DECEASED]
_SERVICES = [Service.BUDGET_COACHING, Service.BUDGET_MANAGEMENT]


@st.composite
def signal_of(draw: st.DrawFn, number: int) -> EarlySignal:
    """A signal about somebody in town."""
    received_on = draw(st.sampled_from(RECEIVED))
    return EarlySignal(
        signal_id=f"S{number}",
        municipality="0344",
        partner=Partner("woonstad", PartnerKind.RENT),
        subject=draw(st.sampled_from(REPORTED)),
        customer_reference=None,
        arrears=25_000,
        arrears_since=draw(st.sampled_from([None, *DAYS])),
        signalled_on=draw(st.sampled_from([None, *[day for day in DAYS[5:] if day <= received_on]])),
        received_at=noon(received_on),
        crisis=False,
        warm_transfer=False,
        collection_effort_attested=True,
    )


@st.composite
def towns(draw: st.DrawFn) -> Town:
    """Up to three trajectories and up to three signals."""
    events = [e for name in ("T1", "T2", "T3")[: draw(st.integers(1, 3))] for e in draw(events_of(name))]
    signals = [draw(signal_of(number)) for number in range(draw(st.integers(1, 3)))]
    return Town(tuple(events), tuple(signals))


def commands() -> st.SearchStrategy[list[Command]]:
    """What people and the clock say, about signals that are there or not."""
    one = st.builds(
        Command,
        st.sampled_from([*_ABOUT_ONE_SIGNAL, *[ResidentCommandKind.OFFER_TO_REGULAR] * 3]),
        st.integers(0, 2),
        st.sampled_from(["T1", "T2", "T3"]),
        st.integers(0, 1),
    )
    return st.lists(one, min_size=1, max_size=4)
