"""The matcher's handler: routes as CloudEvents, an index that a restart rebuilds, refusals, and what is swept."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

import pytest
from signaalwissel.processors.dead_letters import DeadLetters
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.internal import Header, OriginalRecord, ResidentCommand, ResidentCommandKind
from signaalwissel.schemas.keyed_signal_codec import write_keyed_signal
from signaalwissel.schemas.routing import Decision
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.streams.matcher import MatcherHandler
from signaalwissel.streams.topics import (
    MATCHER_POLICIES,
    MATCHER_RECENTS,
    MATCHER_ROTATIONS,
    MATCHER_TRAJECTORIES,
)

from tests.processors.given import default_policies, policy_with
from tests.processors.keyed import KEY, OTHER_KEY, RECEIVED_ON, facts, keyed_signal, noon, trajectory
from tests.streams.handler_support import (
    CLOUD_EVENT,
    NAMES,
    PARTITIONS,
    SOURCE,
    TRACE,
    Arrived,
    Sent,
    Stand,
    on_topic,
)

THEIRS = (TRACE, ("ce_id", b"theirs"))
CORRECTION_DAYS = default_policies().default.corrections.period_days
LATE = noon(date(2040, 1, 1))
VERSION = default_policies().default.version.encode()
NOTHING: set[bytes] = set()


class MatcherStand(Stand):
    """The matcher and its three tables, everything recovered."""

    def __init__(self) -> None:
        super().__init__([MATCHER_TRAJECTORIES, MATCHER_RECENTS, MATCHER_POLICIES, MATCHER_ROTATIONS])
        self.start(default_policies())

    def start(self, policies: Policies) -> None:
        """Start the matcher, or start it again, over the tables as they are."""
        letters = DeadLetters("matcher", self.keys, fresh_nonce)
        self.handler = self.made = MatcherHandler(self.tables, policies, self.publisher, letters, NAMES)
        for partition in range(PARTITIONS):
            self.handler.on_recovered(partition)

    def index(self, partition: int = 0) -> dict[bytes, tuple[dict[str, tuple[int, bytes]], list[bytes]]]:
        """What the handler knows of a partition, comparable."""
        with ExitStack() as bound:
            for table in self.tables.values():
                bound.enter_context(table.bound(partition))
            state = self.made._states[partition]
            return {
                match_key: (
                    {
                        known.trajectory_id: (known.version, known.table_value)
                        for known in state.copies_at(match_key)
                    },
                    sorted(state.refs_at(match_key)),
                )
                for match_key in state.match_keys()
            }


def changes(
    trajectories: set[bytes] = NOTHING, recents: set[bytes] = NOTHING, policies: set[bytes] = NOTHING
) -> dict[str, set[bytes]]:
    """The keys that changed, by table."""
    return {
        MATCHER_TRAJECTORIES: trajectories,
        MATCHER_RECENTS: recents,
        MATCHER_POLICIES: policies,
        MATCHER_ROTATIONS: set(),
    }


def resident_event(value: bytes | None, key: bytes | None = KEY, **place: Any) -> Arrived:
    return Arrived("resident-events", value, key, **{"timestamp": noon(RECEIVED_ON), **place})


def signal(signal_id: str = "S1", received_on: date = RECEIVED_ON, **place: Any) -> Arrived:
    return resident_event(write_keyed_signal(keyed_signal(signal_id, received_on)), **place)


def running(trajectory_id: str = "T1", version: int = 1, **place: Any) -> Arrived:
    return resident_event(trajectory(trajectory_id, version, facts(ended=None)), **place)


def ended(trajectory_id: str = "T1", version: int = 1, **place: Any) -> Arrived:
    return resident_event(trajectory(trajectory_id, version), **place)


def erased(trajectory_id: str = "T1", version: int = 2) -> Arrived:
    return resident_event(trajectory(trajectory_id, version, (), erased=True))


def decision_in(sent: list[Sent]) -> Decision:
    (record,) = on_topic(sent, "decisions")
    return read_decision(record.value or b"")


class TestOutputs:
    """What goes out of decisions."""

    @pytest.mark.parametrize(("given", "topic"), [([], "regular-flow"), ([running()], "counsellor-followup")])
    def test_a_signal_is_routed_as_a_cloud_event_and_recorded_without_one(
        self, given: list[Arrived], topic: str
    ) -> None:
        stand = MatcherStand()
        for record in given:
            assert stand.take(record) == []
        routed, recorded = stand.take(signal(headers=THEIRS))
        decision = read_decision(recorded.value or b"")
        assert (routed.topic, recorded.topic) == (topic, "decisions")
        assert recorded.headers == (TRACE,)
        assert set(routed.named) == {*CLOUD_EVENT, "traceparent"}
        assert routed.named["ce_id"] == decision.routing_id.encode()
        assert routed.named["ce_type"] == b"nl.vroegsignalering.signaal-gerouteerd"
        assert (routed.named["ce_source"], routed.named["traceparent"]) == (SOURCE.encode(), TRACE[1])

    def test_without_a_trace_none_is_made_up(self) -> None:
        routed, recorded = MatcherStand().take(signal())
        assert set(routed.named) == CLOUD_EVENT
        assert recorded.headers == ()

    def test_a_late_event_corrects_both_audiences_and_its_trace_stays_off_the_regular_side(self) -> None:
        stand = MatcherStand()
        stand.take(signal())
        sent = stand.take(running(headers=(TRACE,)))
        assert [record.topic for record in sent] == [
            "regular-corrections",
            "counsellor-corrections",
            "decisions",
        ]
        ids = [record.named["ce_id"] for record in sent[:2]]
        routing_id = decision_in(sent).routing_id
        assert ids == [f"{routing_id}-regular-withdrawn".encode(), f"{routing_id}-counsellor-moved".encode()]
        # The regular side must not be able to link its correction to a lifecycle event.
        traces = [record.named.get("traceparent") for record in sent]
        assert traces == [None, TRACE[1], TRACE[1]]
        assert sent[0].named["ce_type"] == b"nl.vroegsignalering.routering-gecorrigeerd"

    def test_each_change_is_one_entry_in_its_table(self) -> None:
        stand = MatcherStand()
        stand.take(running())
        assert stand.changed() == changes(trajectories={KEY + b"T1"})
        stand.take(signal())
        ref = keyed_signal().signal_ref
        assert stand.changed() == changes(recents={ref}, policies={VERSION})
        stand.take(running(version=1), ended(version=1))
        assert stand.changed() == changes()
        stand.take(signal("S2"))
        assert stand.changed() == changes(recents={keyed_signal("S2").signal_ref})

    def test_a_command_is_carried_out_once(self) -> None:
        stand = MatcherStand()
        stand.take(running(), signal())
        kind = ResidentCommandKind.OFFER_TO_REGULAR
        command = ResidentCommand(
            "c1", kind, "0344", keyed_signal().signal_ref, None, None, noon(RECEIVED_ON)
        )
        record = resident_event(codec("ResidentCommand").encode(command))
        assert on_topic(stand.take(record), "regular-corrections")
        assert stand.take(record) == []

    def test_partitions_know_nothing_of_each_other(self) -> None:
        stand = MatcherStand()
        stand.take(running(partition=1))
        assert decision_in(stand.take(signal(partition=2))).reason.value == "NO_TRAJECTORY"
        assert decision_in(stand.take(signal(partition=1))).reason.value == "RUNNING_TRAJECTORY"


class TestRefusals:
    """What nobody but intake and sink should write here, and somebody wrote all the same."""

    @pytest.mark.parametrize(
        ("record", "code"),
        [
            (resident_event(None), "NULL_VALUE"),
            (signal(key=None), "NULL_VALUE"),
            (resident_event(b"garbage"), "NOT_WIRE_FORMAT"),
            (resident_event(codec("TaskUpdate").header + b"x"), "UNKNOWN_SCHEMA_ID"),
            (resident_event(write_keyed_signal(keyed_signal())[:30]), "UNREADABLE"),
            (resident_event(trajectory()[:9]), "UNREADABLE"),
            (resident_event(codec("ResidentCommand").header + b"x"), "UNREADABLE"),
        ],
    )
    def test_it_is_a_dead_letter_that_opens_as_it_came_and_the_next_is_handled(
        self, record: Arrived, code: str
    ) -> None:
        stand = MatcherStand()
        record.offset, record.headers = 12, THEIRS
        letter, routed, _ = stand.take(record, signal())
        assert (letter.letter.code, letter.letter.stage) == (code, "matcher")
        assert (letter.letter.topic, letter.letter.offset) == ("resident-events", 12)
        assert letter.named["dead-letter-code"] == code.encode()
        assert letter.named["traceparent"] == TRACE[1]
        headers = tuple(Header(*header) for header in THEIRS)
        assert stand.original(letter) == OriginalRecord(record.key, record.value, headers)
        assert routed.topic == "regular-flow"

    def test_a_command_about_an_unknown_signal_is_a_dead_letter(self) -> None:
        kind = ResidentCommandKind.CONFIRM_IDENTITY
        command = ResidentCommand("c1", kind, "0344", b"\x00" * 16, "T1", 0, noon(RECEIVED_ON))
        (sent,) = MatcherStand().take(resident_event(codec("ResidentCommand").encode(command)))
        assert sent.letter.code == "UNKNOWN_SIGNAL"

    def test_a_refused_trajectory_leaves_nothing_behind(self) -> None:
        stand = MatcherStand()
        stand.take(signal())
        stand.changed()
        before = stand.index()
        stand.take(resident_event(trajectory()[:9]))
        assert stand.index() == before
        assert not any(stand.changed().values())


class TestIndex:
    """The index in memory and the tables under it."""

    STORY = (
        running("T1"),
        signal("S1"),
        ended("T1", 2),
        running("T2", key=OTHER_KEY),
        signal("S2", key=OTHER_KEY),
        signal("S3"),
        running("T3"),
        erased("T1", 3),
        signal("S4", date(2026, 2, 25)),
    )

    @pytest.mark.parametrize("length", range(1, len(STORY) + 1))
    def test_rebuilt_from_the_tables_it_equals_the_one_that_lived(self, length: int) -> None:
        stand = MatcherStand()
        for record in self.STORY[:length]:
            stand.take(record)
        lived = stand.index()
        assert lived
        stand.handler.on_revoked(0)
        stand.handler.on_recovered(0)
        assert stand.index() == lived

    def test_after_a_restart_everything_is_decided_as_without_it(self) -> None:
        stayed, restarted = MatcherStand(), MatcherStand()
        outcomes = []
        for stand in (stayed, restarted):
            found = []
            for record in self.STORY:
                if stand is restarted:
                    stand.handler.on_revoked(0)
                    stand.handler.on_recovered(0)
                found += [(one.topic, one.key, one.named.get("ce_id")) for one in stand.take(record)]
            outcomes.append(found)
        assert outcomes[0] == outcomes[1]
        assert outcomes[0]

    def test_with_an_edited_policy_it_corrects_under_the_first_one_and_decides_anew_under_the_other(
        self,
    ) -> None:
        stand = MatcherStand()
        stand.take(running(), signal("S1"))
        edited = policy_with(window={"months": 1})
        stand.start(Policies(edited, for_every_code=True))
        # Ended eleven weeks before the signals: within six months, not within one.
        assert stand.take(ended(version=2)) == []
        assert decision_in(stand.take(signal("S2"))).policy_version == edited.version
        versions = {VERSION.decode(), edited.version}
        assert {key.decode() for key, _ in stand.tables[MATCHER_POLICIES].items_of(0)} == versions
        corrected = stand.take(erased(version=3))
        assert decision_in(corrected).policy_version == VERSION.decode()

    def test_a_partition_that_left_is_forgotten(self) -> None:
        stand = MatcherStand()
        stand.handler.on_revoked(PARTITIONS + 1)  # left before it was recovered
        stand.take(running(), signal())
        stand.handler.on_revoked(0)
        for table in stand.tables.values():
            table.release(0)
            table.hold(0)
        stand.handler.on_recovered(0)
        assert stand.index() == {}
        assert decision_in(stand.take(signal())).reason.value == "NO_TRAJECTORY"


class TestSweep:
    """Housekeeping: what goes, in tables and index alike."""

    def test_it_takes_what_no_rule_can_need_and_leaves_the_rest(self) -> None:
        stand = MatcherStand()
        stand.take(ended("OVER"), running("RUNS"), signal("S1"), signal("S2", key=OTHER_KEY))
        stand.changed()
        assert stand.sweep(0, LATE) == []
        gone = {keyed_signal("S1").signal_ref, keyed_signal("S2").signal_ref}
        # With the last signal that was decided under a policy, its archived copy goes.
        assert stand.changed() == changes(trajectories={KEY + b"OVER"}, recents=gone, policies={VERSION})
        assert stand.tables[MATCHER_POLICIES].size_of(0) == 0
        assert {at: list(known) for at, (known, _) in stand.index().items()} == {KEY: ["RUNS"]}

    @pytest.mark.parametrize(("days", "left"), [(CORRECTION_DAYS, 1), (CORRECTION_DAYS + 1, 0)])
    def test_a_recent_signal_goes_after_the_correction_period(self, days: int, left: int) -> None:
        stand = MatcherStand()
        stand.take(signal())
        stand.sweep(0, noon(RECEIVED_ON + timedelta(days=days)))
        assert stand.tables[MATCHER_RECENTS].size_of(0) == left

    def test_it_says_nothing_and_what_is_left_is_decided_as_before(self) -> None:
        stand = MatcherStand()
        stand.take(ended("OVER"), running("RUNS"))
        stand.sweep(0, LATE)
        assert decision_in(stand.take(signal())).trajectory_id == "RUNS"

    def test_every_match_key_is_looked_at_however_many_there_are(self) -> None:
        stand = MatcherStand()
        stand.take(*(signal(f"S{n}", key=b"\x00\x01" + f"{n:032}".encode()) for n in range(1_600)))
        for _ in range(4):
            stand.sweep(0, LATE)
        assert stand.tables[MATCHER_RECENTS].size_of(0) == 0
        assert stand.index() == {}

    def test_the_swept_index_equals_a_rebuilt_one(self) -> None:
        stand = MatcherStand()
        stand.take(ended("OVER"), running("RUNS"), signal(), signal("S2", date(2040, 1, 1)))
        stand.sweep(0, LATE)
        table = stand.tables
        trajectories, recents, policies = (
            table[name] for name in (MATCHER_TRAJECTORIES, MATCHER_RECENTS, MATCHER_POLICIES)
        )
        rebuilt = MatcherState(trajectories, recents, policies)
        rebuilt.load(trajectories.keys_of(0), recents.items_of(0), policies.keys_of(0))
        assert list(rebuilt.match_keys()) == list(stand.index())
        stand.handler.on_recovered(0)
        assert list(stand.index()) == list(rebuilt.match_keys())
