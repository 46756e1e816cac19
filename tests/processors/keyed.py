"""What the matcher reads, made by hand: match keys, trajectories, signals, recent signals."""

from datetime import date, timedelta

from signaalwissel.processors.amsterdam import start_of_day
from signaalwissel.schemas.fact_codec import trajectory_body, write_keyed_trajectory
from signaalwissel.schemas.internal import ClientPseudonym, Fact, KeyedSignal, KeyedTrajectory, RecentSignal
from signaalwissel.schemas.keyed_signal_codec import carried_block, write_keyed_signal
from signaalwissel.schemas.routing import Route
from signaalwissel.schemas.signal import EarlySignal, Partner, PartnerKind, Subject
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEventKind

from tests.processors.given import default_policies

KEY, OTHER_KEY = b"\x00\x01" + b"k" * 32, b"\x00\x01" + b"o" * 32
ANNA = ClientPseudonym(bsn=b"anna", birth_date=b"17 may", surname=b"jansen", address=b"home")
RECEIVED_ON = date(2026, 2, 20)
PARTNER = Partner("woonstad", PartnerKind.RENT)


def noon(day: date) -> int:
    """The middle of a day in Amsterdam."""
    return start_of_day(day) + timedelta(hours=12) // timedelta(milliseconds=1)


def facts(
    began: date = date(2025, 1, 10),
    ended: date | None = date(2025, 12, 1),
    recorded_at: tuple[int, int] = (1000, 2000),
    reason: ExitReason = ExitReason.COMPLETED,
) -> tuple[Fact, ...]:
    """An application of Anna's, and its end."""
    kind = TrajectoryEventKind
    applied = Fact("e1", 1, began, recorded_at[0], kind.APPLIED, clients=(ANNA,))
    if ended is None:
        return (applied,)
    return applied, Fact("e2", 2, ended, recorded_at[1], kind.EXITED, exit_reason=reason)


def trajectory(
    trajectory_id: str = "T1",
    version: int = 1,
    story: tuple[Fact, ...] | None = None,
    *,
    erased: bool = False,
) -> bytes:
    """A trajectory as intake publishes it."""
    told = facts() if story is None else story
    keyed = KeyedTrajectory("0344", trajectory_id, version, erased, f"{trajectory_id}-{version}", told)
    return write_keyed_trajectory(trajectory_body(keyed))


def keyed_signal(
    signal_id: str = "S1", received_on: date = RECEIVED_ON, bsn: bytes | None = ANNA.bsn
) -> KeyedSignal:
    """A signal as intake publishes it."""
    sent = EarlySignal(
        signal_id,
        "0344",
        PARTNER,
        Subject(),
        None,
        25_000,
        None,
        None,
        noon(received_on),
        crisis=False,
        warm_transfer=False,
        collection_effort_attested=True,
    )
    return KeyedSignal(
        signal_ref=signal_id.encode().rjust(16),
        reference_date=received_on,
        last_day=received_on,
        pseudonym=ClientPseudonym(bsn=bsn, address=ANNA.address),
        signal_id=signal_id,
        municipality="0344",
        partner_id=PARTNER.partner_id,
        carried=carried_block(sent, b"sealed"),
    )


def recent(match_key: bytes = KEY, signal: KeyedSignal | None = None, written_at: int = 0) -> RecentSignal:
    """A regular signal that was decided once."""
    return RecentSignal(
        match_key=match_key,
        written_at=written_at,
        revision=0,
        policy_version=default_policies().default.version,
        route=Route.REGULAR_FLOW,
        trajectory_id=None,
        address_only=False,
        regular_holds=True,
        offered=False,
        confirmed=None,
        refuted=(),
        commands=(),
        signal=write_keyed_signal(signal or keyed_signal()),
    )
