"""Records that fit their schema and are absurd all the same: refused, and nothing else happens."""

from datetime import date

import pytest
from signaalwissel.processors.dead_letters import About, DeadLetters, Source
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.intake_commands import IntakeCommands
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.validation import check_event
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_intake_trajectory
from signaalwissel.schemas.internal import IntakeCommand, IntakeCommandKind
from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEvent, TrajectoryEventKind
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

NOW = 1_770_000_000_000
EVENT = TrajectoryEvent(
    "e1", "T1", "0344", 1, date(2026, 1, 1), NOW, TrajectoryEventKind.APPLIED, (Subject(bsn="111222333"),)
)


def intake() -> IntakeTrajectories:
    keys = ThrowawayKeys()
    dead_letters = DeadLetters("intake", keys, fresh_nonce)
    policies = packaged_policies(for_every_code=True)
    return IntakeTrajectories(policies, Publishers(), keys, fresh_nonce, dead_letters)


def source(offset: int = 0) -> Source:
    return Source("trajectories", 0, offset, NOW, None, b"")


def command(kind: IntakeCommandKind, **fields: object) -> IntakeCommand:
    made = IntakeCommand("c1", kind, "0344", "T1", None, date(2026, 1, 2), NOW)
    return made._replace(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        pytest.param(EVENT._replace(sequence=2**63 - 1), "sequence", id="a sequence that leaves no room"),
        pytest.param(EVENT._replace(sequence=-1), "sequence", id="a negative sequence"),
        pytest.param(
            EVENT._replace(counsellor=Counsellor("\x00", "x")),
            "counsellor.counsellor_id",
            id="a NUL in an id",
        ),
        pytest.param(
            EVENT._replace(counsellor=Counsellor("c", "")), "counsellor.team", id="a team without a name"
        ),
        pytest.param(
            EVENT._replace(counsellor=Counsellor("c" * 60_000, "x")),
            "counsellor.counsellor_id",
            id="an endless id",
        ),
    ],
)
def test_an_absurd_event_is_refused(event: TrajectoryEvent, field: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_event(event)
    assert (refused.value.code, refused.value.field) == (RejectionCode.INVALID_FIELD, field)


def test_a_trajectory_does_not_grow_without_bound() -> None:
    rules, table = intake(), dict[bytes, bytes]()
    rules.step(table, EVENT, source())
    stored = rules.stored(table, "0344", "T1")
    crowd = tuple(stored.facts[0]._replace(event_id=f"f{n}", sequence=n) for n in range(1000))
    rules.publish(table, stored._replace(facts=crowd), NOW)
    with pytest.raises(Rejected, match="TOO_LARGE"):
        rules.step(table, EVENT._replace(event_id="one more", sequence=2000), source(1))


def test_an_erasure_before_the_trajectory_is_known_keeps_it_away() -> None:
    rules, table = intake(), dict[bytes, bytes]()
    IntakeCommands(rules).step(table, command(IntakeCommandKind.ERASE), source())
    assert rules.step(table, EVENT, source()) == []
    assert read_intake_trajectory(table[trajectory_key("0344", "T1")][8:]).erased


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"occurred_on": date(1, 1, 1)}, "occurred_on", id="a day before 1900"),
        pytest.param({"issued_at": 2**62}, "issued_at", id="a moment beyond the calendar"),
        pytest.param({"municipality": "GM0344"}, "municipality", id="no municipality code"),
        pytest.param({"client": 2}, "client", id="a third client"),
        pytest.param({"client": -1}, "client", id="a client before the first"),
    ],
)
def test_an_absurd_command_is_refused(fields: dict[str, object], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        IntakeCommands(intake()).step({}, command(IntakeCommandKind.OBJECT, **fields), source())
    assert refused.value.field == field


def test_a_dead_letter_shows_no_municipality_that_could_be_something_else() -> None:
    letters = DeadLetters("intake", ThrowawayKeys(), fresh_nonce)
    refusal = Rejected(RejectionCode.INVALID_FIELD, "municipality", "must be four digits")
    emitted = letters.of(source(), refusal, About("Jansen 111222333", "s1"))
    assert codec("DeadLetter").decode(emitted.value).municipality is None
