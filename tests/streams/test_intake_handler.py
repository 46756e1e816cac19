"""Intake's handler: where its outputs go and with which headers, what is moved and what is refused."""

from __future__ import annotations

import pytest
from signaalwissel.processors.identifiers import dead_letter_id
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.internal import Header, OriginalRecord
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.streams.topics import INTAKE_ROTATIONS, INTAKE_SIGNALS, INTAKE_TRAJECTORIES

from tests.processors.given import policy_with
from tests.streams.handler_support import (
    TRACE,
    Arrived,
    away_from,
    home_of,
    on_topic,
)
from tests.streams.intake_support import (
    SIGNAL_ENTRY,
    SIGNAL_KEY,
    TRAJECTORY_KEY,
    IntakeStand,
    event_record,
    signal_record,
)

THEIRS = (TRACE, ("ce_id", b"theirs"))
NOTHING: set[bytes] = set()


def changes(signals: set[bytes] = NOTHING, trajectories: set[bytes] = NOTHING) -> dict[str, set[bytes]]:
    """The keys that changed, by table."""
    return {INTAKE_SIGNALS: signals, INTAKE_TRAJECTORIES: trajectories, INTAKE_ROTATIONS: set()}


class TestOutputs:
    """What goes out for good records."""

    def test_a_signal_goes_out_once_and_is_remembered(self) -> None:
        stand = IntakeStand()
        (sent,) = stand.take(signal_record())
        assert sent.topic == "resident-events"
        assert read_keyed_signal(sent.value or b"").signal_id == "S1"
        assert stand.changed() == changes(signals={SIGNAL_ENTRY})

    def test_a_trajectory_goes_out_under_each_match_key_and_as_a_state(self) -> None:
        stand = IntakeStand()
        sent = stand.apply()
        assert [record.topic for record in sent] == [
            "resident-events",
            "resident-events",
            "trajectory-states",
        ]
        assert len({record.key for record in sent}) == 3
        assert sent[-1].key == TRAJECTORY_KEY
        assert stand.changed() == changes(trajectories={TRAJECTORY_KEY})

    def test_a_signal_and_a_trajectory_of_one_bsn_share_a_match_key(self) -> None:
        stand = IntakeStand()
        (signal,) = stand.take(signal_record())
        assert signal.key in {record.key for record in on_topic(stand.apply(), "resident-events")}

    def test_internal_records_are_no_cloud_events_and_carry_the_trace_alone(self) -> None:
        stand = IntakeStand()
        sent = [*stand.take(signal_record(headers=THEIRS)), *stand.take(event_record(headers=THEIRS))]
        assert [record.headers for record in sent] == [(TRACE,)] * 4
        assert all(record.headers == () for record in IntakeStand().apply())

    def test_every_record_of_a_chunk_passes_its_own_trace_on(self) -> None:
        other = (TRACE[0], TRACE[1].replace(b"00-0a", b"00-0b"))
        sent = IntakeStand().take(
            signal_record(headers=(TRACE,)),
            signal_record(headers=(other,), fields={"arrears": "0.00"}),
            signal_record(fields={"received_at": "2027-02-28T12:00:00Z"}),
        )
        assert [record.named.get("traceparent") for record in sent] == [TRACE[1], other[1], None]

    @pytest.mark.parametrize("topic", ["signals", "signals.woonstad", "signals-moved"])
    def test_every_topic_of_signals_is_read_as_one(self, topic: str) -> None:
        stand = IntakeStand()
        (sent,) = stand.take(signal_record(topic))
        assert sent.topic == "resident-events"
        assert stand.take(signal_record()) == []

    @pytest.mark.parametrize("topic", ["trajectories", "trajectories.stratech", "trajectories-moved"])
    def test_every_topic_of_lifecycle_events_is_read_as_one(self, topic: str) -> None:
        stand = IntakeStand()
        assert len(stand.take(event_record(topic))) == 3
        assert stand.take(event_record()) == []


class TestMoved:
    """Records in a partition where they do not belong."""

    @pytest.mark.parametrize(
        ("record", "topic", "key"),
        [
            (signal_record(partition=away_from(SIGNAL_KEY), headers=THEIRS), "signals-moved", SIGNAL_KEY),
            (
                event_record(partition=away_from(TRAJECTORY_KEY), headers=THEIRS),
                "trajectories-moved",
                TRAJECTORY_KEY,
            ),
        ],
    )
    def test_they_are_sent_on_and_handled_there_only(self, record: Arrived, topic: str, key: bytes) -> None:
        stand = IntakeStand()
        (sent,) = stand.take(record)
        assert (sent.topic, sent.key) == (topic, key)
        assert stand.changed() == changes()
        there = Arrived(topic, sent.value, key, home_of(key), headers=sent.headers)
        handled = stand.take(there)
        assert {one.topic for one in handled} <= {"resident-events", "trajectory-states"}
        assert all(one.headers == (TRACE,) for one in handled)
        assert sum(map(len, stand.changed().values())) == 1

    @pytest.mark.parametrize(
        ("record", "field"),
        [
            (
                signal_record(
                    "signals.woonstad", partition=away_from(SIGNAL_KEY), fields={"municipality": "0363"}
                ),
                "municipality",
            ),
            (
                signal_record(
                    "signals.woonstad",
                    partition=away_from(b"vitens/S1"),
                    fields={"partner": {"partner_id": "vitens", "kind": "WATER"}},
                ),
                "partner.partner_id",
            ),
            (
                event_record(
                    "trajectories.stratech",
                    partition=away_from(b"0363/T1"),
                    fields={"municipality": "0363"},
                ),
                "municipality",
            ),
        ],
    )
    def test_the_allow_list_comes_first(self, record: Arrived, field: str) -> None:
        stand = IntakeStand()
        (sent,) = stand.take(record)
        assert (sent.letter.code, sent.letter.field) == ("PUBLISHER_NOT_ALLOWED", field)
        assert stand.mover.moved == {}

    def test_the_allow_list_of_a_moved_event_is_that_of_its_publisher(self) -> None:
        place = (
            ("moved-from-topic", b"trajectories.stratech"),
            ("moved-from-partition", b"0"),
            ("moved-from-offset", b"9"),
        )
        stand = IntakeStand()
        record = event_record("trajectories-moved", headers=place, fields={"municipality": "0363"})
        (sent,) = stand.take(record)
        assert (sent.letter.code, sent.letter.topic) == ("PUBLISHER_NOT_ALLOWED", "trajectories.stratech")


class TestDeadLetters:
    """Records that are refused."""

    def test_a_refused_record_says_where_and_why_in_headers_and_opens_as_it_came(self) -> None:
        stand = IntakeStand()
        record = signal_record(offset=1042, key=b"theirs", headers=THEIRS, fields={"arrears": "0.00"})
        (sent,) = stand.take(record)
        assert sent.named == {
            "dead-letter-stage": b"intake",
            "dead-letter-topic": b"signals",
            "dead-letter-partition": str(record.partition).encode(),
            "dead-letter-offset": b"1042",
            "dead-letter-code": b"INVALID_FIELD",
            "dead-letter-field": b"arrears",
            "dead-letter-rule": sent.letter.rule.encode(),
            "traceparent": TRACE[1],
        }
        assert sent.key == dead_letter_id("signals", record.partition, 1042).encode()
        assert (sent.letter.municipality, sent.letter.record_id) == ("0344", "S1")
        assert stand.original(sent) == OriginalRecord(
            b"theirs", record.value, tuple(Header(*header) for header in THEIRS)
        )

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (None, "NULL_VALUE"),
            (b"", "NOT_WIRE_FORMAT"),
            (b"{}", "NOT_WIRE_FORMAT"),
            (b"\x00\x00\x00\xff\xffx", "UNKNOWN_SCHEMA_ID"),
            (signal_record().value[:-3], "UNREADABLE"),  # type: ignore[index]
            (b"\x00" * 70_000, "TOO_LARGE"),
        ],
    )
    @pytest.mark.parametrize("topic", ["signals", "trajectories", "intake-commands"])
    def test_bytes_that_are_no_record_of_the_topic_are_refused(
        self, topic: str, value: bytes | None, code: str
    ) -> None:
        stand = IntakeStand()
        (sent,) = stand.take(Arrived(topic, value, b"key", 2, 5))
        expected = "UNKNOWN_SCHEMA_ID" if code == "UNREADABLE" and topic != "signals" else code
        assert (sent.letter.code, sent.letter.topic, sent.letter.offset) == (expected, topic, 5)
        assert stand.original(sent).value == value

    def test_a_refused_record_keeps_no_other_of_its_chunk_back(self) -> None:
        stand = IntakeStand()
        sent = stand.take(
            Arrived("signals", None), Arrived("signals", b"x"), signal_record(), partition=home_of(SIGNAL_KEY)
        )
        assert [record.topic for record in sent] == ["dead-letters", "dead-letters", "resident-events"]

    @pytest.mark.parametrize(
        ("record", "key"),
        [
            (
                signal_record(
                    "signals.woonstad", partition=away_from(SIGNAL_KEY), offset=77, fields={"arrears": "0.00"}
                ),
                SIGNAL_KEY,
            ),
            (
                event_record(
                    partition=away_from(TRAJECTORY_KEY),
                    kind="EXITED",
                    offset=77,
                    fields={"exit_reason": None},
                ),
                TRAJECTORY_KEY,
            ),
        ],
    )
    def test_a_moved_record_that_is_refused_names_the_place_that_its_publisher_knows(
        self, record: Arrived, key: bytes
    ) -> None:
        stand = IntakeStand()
        record.headers = THEIRS
        (sent,) = stand.take(record)
        (letter,) = stand.take(Arrived(sent.topic, sent.value, key, home_of(key), 3, headers=sent.headers))
        place = letter.letter.topic, letter.letter.partition, letter.letter.offset
        assert place == (record.topic.removeprefix("a-prefix."), record.partition, 77)
        assert letter.named["dead-letter-offset"] == b"77"
        assert stand.original(letter).value == record.value
        assert stand.original(letter).headers == tuple(Header(*header) for header in THEIRS)

    def test_a_municipality_without_policy_is_refused(self) -> None:
        stand = IntakeStand(Policies(policy_with()))
        letters = [stand.take(signal_record())[0].letter, stand.take(event_record())[0].letter]
        assert [letter.code for letter in letters] == ["UNKNOWN_MUNICIPALITY"] * 2
