from datetime import date, timedelta

from kafka.partitioner.default import murmur2
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_tasks import Command
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_keyed_trajectory
from signaalwissel.schemas.internal import (
    Fact,
    KeyedTrajectory,
    ResidentCommand,
    ResidentCommandKind,
    TrajectoryState,
)
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks import commands
from signaalwissel.sinks.commands import Given
from signaalwissel.sinks.tables import outbox
from signaalwissel.streams.clock import now_ms
from sqlalchemy import select

from tests.console.console_support import PARTITIONS, CommandLine, Installation

KEYS = (b"a" * 33, b"b" * 33)
APPLIED = Fact("e-1", 1, date(2026, 1, 5), 1_767_600_000_000, TrajectoryEventKind.APPLIED)
ADMITTED = Fact("e-2", 2, date(2026, 1, 9), 1_767_900_000_000, TrajectoryEventKind.ADMITTED)


def state(trajectory_id: str, version: int, keys: tuple[bytes, ...] = KEYS) -> TrajectoryState:
    facts = (APPLIED, ADMITTED)[:version]
    return TrajectoryState("0344", trajectory_id, version, not keys, f"e-{version}", facts, keys)


def tell(installation: Installation, *states: TrajectoryState) -> None:
    """Write states as intake does: in transactions."""
    producer = installation.producer(transactional_id=f"{installation.prefix}intake")
    producer.init_transactions()
    for told in states:
        producer.begin_transaction()
        producer.send(
            f"{installation.prefix}trajectory-states",
            key=trajectory_key(told.municipality, told.trajectory_id),
            value=codec("TrajectoryState").encode(told),
        )
        producer.commit_transaction()
    # What was taken back must not reach the matcher.
    producer.begin_transaction()
    producer.send(
        f"{installation.prefix}trajectory-states",
        key=trajectory_key("0344", "T-1"),
        value=codec("TrajectoryState").encode(state("T-1", 9)),
    )
    producer.abort_transaction()
    producer.close()


def test_the_newest_state_of_each_trajectory_goes_out_under_each_of_its_match_keys(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    tell(installation, state("T-1", 1), state("T-2", 1, KEYS[:1]), state("T-1", 2), state("T-3", 2, ()))
    ended = signaalwissel("rebuild", "--json")
    records = installation.records("resident-events", 3)
    assert ended.code == 0, ended.err
    assert ended.json == {"trajectories": 2, "without_keys": 1, "records": 3, "commands": 0, "dry_run": False}
    found = {(record.key, read_keyed_trajectory(record.value)) for record in records}
    newest = KeyedTrajectory("0344", "T-1", 2, False, "e-2", (APPLIED, ADMITTED))
    other = KeyedTrajectory("0344", "T-2", 1, False, "e-1", (APPLIED,))
    assert found == {(KEYS[0], newest), (KEYS[1], newest), (KEYS[0], other)}
    assert all(record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS for record in records)
    assert installation.end_offsets("resident-events") == 3


def test_a_second_rebuild_changes_nothing_at_the_matcher(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    tell(installation, state("T-1", 2, KEYS[:1]))
    for _ in range(2):
        assert signaalwissel("rebuild").code == 0
    matcher = MatcherState({}, {}, {})
    kept = [
        matcher.put_trajectory(record.key, record.value, record.timestamp)
        for record in installation.records("resident-events", 2)
    ]
    assert kept == [True, False]


def test_a_removed_trajectory_stays_away(installation: Installation, signaalwissel: CommandLine) -> None:
    tell(installation, state("T-2", 1))
    producer = installation.producer()
    producer.send(f"{installation.prefix}trajectory-states", key=trajectory_key("0344", "T-2"), value=None)
    producer.close()
    ended = signaalwissel("rebuild", "--json")
    assert ended.json["records"] == 0
    assert installation.end_offsets("resident-events") == 0


def test_a_dry_run_counts_and_sends_nothing(installation: Installation, signaalwissel: CommandLine) -> None:
    tell(installation, state("T-1", 1))
    ended = signaalwissel("rebuild", "--dry-run", "--json")
    assert ended.json == {"trajectories": 1, "without_keys": 0, "records": 2, "commands": 0, "dry_run": True}
    assert installation.end_offsets("resident-events") == 0


def given(command_id: str, stands_until: date) -> Given:
    said = ResidentCommand(
        command_id, ResidentCommandKind.CONFIRM_IDENTITY, "0344", b"r" * 16, "T-1", 0, 1_772_400_000_000
    )
    return Given(Command(KEYS[0], said), stands_until)


def test_what_persons_said_of_signals_that_can_still_be_corrected_is_sent_again(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    tell(installation, state("T-1", 1, KEYS[:1]))
    today = amsterdam_day(now_ms())
    with installation.engine.begin() as connection:
        commands.record(
            connection,
            [given("c-stands", today + timedelta(days=2)), given("c-over", today - timedelta(days=2))],
        )
    assert signaalwissel("rebuild", "--dry-run", "--json").json["commands"] == 1
    with installation.engine.connect() as connection:
        assert connection.execute(select(outbox)).all() == []
    for _ in range(2):
        assert signaalwissel("rebuild", "--json").json["commands"] == 1
    with installation.engine.connect() as connection:
        (row,) = connection.execute(select(outbox)).all()
    said = codec("ResidentCommand").decode(bytes(row.value))
    assert (said.command_id, bytes(row.key), row.sent_at) == ("c-stands", KEYS[0], None)
    assert row.headers["ce_id"] == "c-stands:1"


def test_a_record_that_is_none_of_ours_is_named_by_its_place(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    producer = installation.producer()
    producer.send(f"{installation.prefix}trajectory-states", key=b"k", value=b"what", partition=1)
    producer.close()
    ended = signaalwissel("rebuild")
    assert ended.code == 1
    assert f"{installation.prefix}trajectory-states[1]@0" in ended.err


def test_without_its_topic_it_ends_with_2(unprepared: Installation, signaalwissel: CommandLine) -> None:
    ended = signaalwissel("rebuild")
    assert ended.code == 2
    assert "topics apply" in ended.err
