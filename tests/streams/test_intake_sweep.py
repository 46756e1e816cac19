"""Intake's handler: commands from the sink, and housekeeping."""

from __future__ import annotations

from typing import Any

import pytest
from signaalwissel.processors.identifiers import signal_table_key
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.fact_codec import read_keyed_trajectory, read_trajectory_state
from signaalwissel.schemas.internal import IntakeCommandKind
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.streams.topics import INTAKE_SIGNALS, INTAKE_TRAJECTORIES

from tests.processors.given import default_policies
from tests.streams.handler_support import (
    DAY,
    NOON,
    TRACE,
    away_from,
    home_of,
)
from tests.streams.intake_support import (
    SIGNAL_ENTRY,
    SIGNAL_KEY,
    TRAJECTORY_KEY,
    IntakeStand,
    command_record,
    event_record,
    signal_record,
)

ORPHAN_DAYS = default_policies().default.intake.orphan_days
RESEND_DAYS = default_policies().default.intake.resend_days
THEIRS = (TRACE, ("ce_id", b"theirs"))


class TestCommands:
    """What the sink asks of intake."""

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            (IntakeCommandKind.OBJECT, TrajectoryEventKind.OBJECTION_LODGED),
            (IntakeCommandKind.WITHDRAW_OBJECTION, TrajectoryEventKind.OBJECTION_WITHDRAWN),
            (IntakeCommandKind.DECEASED, TrajectoryEventKind.EXITED),
        ],
    )
    def test_it_goes_out_as_a_changed_trajectory_once(
        self, kind: IntakeCommandKind, told: TrajectoryEventKind
    ) -> None:
        stand = IntakeStand()
        stand.apply()
        sent = stand.take(command_record(kind))
        assert [record.topic for record in sent] == [
            "resident-events",
            "resident-events",
            "trajectory-states",
        ]
        state = read_trajectory_state(sent[-1].value or b"")
        assert (state.version, state.facts[-1].kind, state.caused_by_event_id) == (2, told, "c1")
        assert stand.take(command_record(kind)) == []

    def test_an_erased_trajectory_is_told_under_its_keys_and_then_forgets_them(self) -> None:
        stand = IntakeStand()
        keys = {record.key for record in stand.apply()}
        sent = stand.take(command_record(IntakeCommandKind.ERASE))
        assert {record.key for record in sent} == keys
        assert all(read_keyed_trajectory(record.value or b"").erased for record in sent[:-1])
        state = read_trajectory_state(sent[-1].value or b"")
        assert (state.erased, state.facts, state.match_keys) == (True, (), ())
        assert stand.take(event_record(kind="ADMITTED")) == []

    def test_a_command_about_a_trajectory_that_never_comes_is_a_dead_letter_with_its_original(self) -> None:
        stand = IntakeStand()
        waiting = command_record(IntakeCommandKind.OBJECT)
        assert stand.take(waiting) == []
        assert stand.sweep(waiting.partition, NOON + ORPHAN_DAYS * DAY) == []
        (sent,) = stand.sweep(waiting.partition, NOON + ORPHAN_DAYS * DAY + 1)
        assert (sent.letter.code, sent.letter.topic) == ("ORPHANED_EVENT", "intake-commands")
        assert sent.letter.record_id == "c1"
        assert stand.original(sent).value == waiting.value


class TestSweep:
    """Housekeeping of one partition."""

    def test_deliveries_go_when_they_can_no_longer_come_again(self) -> None:
        stand = IntakeStand()
        stand.take(signal_record())
        stand.changed()
        home = home_of(SIGNAL_KEY)
        assert stand.sweep(home, NOON + RESEND_DAYS * DAY) == []
        assert stand.changed()[INTAKE_SIGNALS] == set()
        assert stand.sweep(home, NOON + (RESEND_DAYS + 1) * DAY) == []
        assert stand.changed()[INTAKE_SIGNALS] == {SIGNAL_ENTRY}
        assert stand.tables[INTAKE_SIGNALS].size_of(home) == 0

    def test_what_belongs_to_a_municipality_whose_policy_was_removed_stays_and_is_told_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        stand = IntakeStand()
        stand.take(signal_record())
        stand.changed()
        handler: Any = stand.handler
        handler._rules = handler._rules._replace(policies=Policies(default_policies().default))
        home = home_of(SIGNAL_KEY)
        for _ in range(3):
            assert stand.sweep(home, NOON + 9_000 * DAY) == []
        assert stand.changed()[INTAKE_SIGNALS] == set()
        assert [record.getMessage().split(":")[0] for record in caplog.records] == [
            "municipality 0344 has no policy any more"
        ]

    def test_an_orphan_is_published_with_the_place_it_came_from_and_goes(self) -> None:
        stand = IntakeStand()
        waiting = event_record(kind="ADMITTED", offset=33, headers=THEIRS)
        assert stand.take(waiting) == []
        assert stand.sweep(waiting.partition, NOON + ORPHAN_DAYS * DAY) == []
        (sent,) = stand.sweep(waiting.partition, NOON + ORPHAN_DAYS * DAY + 1)
        assert (sent.letter.code, sent.letter.offset) == ("ORPHANED_EVENT", 33)
        assert sent.named["dead-letter-topic"] == b"trajectories"
        assert stand.original(sent).value == waiting.value
        assert stand.tables[INTAKE_TRAJECTORIES].size_of(waiting.partition) == 0
        assert stand.sweep(waiting.partition, NOON + 100 * DAY) == []

    def test_a_trajectory_stays_however_old(self) -> None:
        stand = IntakeStand()
        stand.apply()
        stand.changed()
        assert stand.sweep(home_of(TRAJECTORY_KEY), NOON + 9_000 * DAY) == []
        assert stand.changed()[INTAKE_TRAJECTORIES] == set()

    def test_only_the_partition_that_is_swept_changes(self) -> None:
        stand = IntakeStand()
        stand.take(signal_record())
        stand.sweep(away_from(SIGNAL_KEY), NOON + 9_000 * DAY)
        assert stand.tables[INTAKE_SIGNALS].size_of(home_of(SIGNAL_KEY)) == 1

    def test_every_entry_is_looked_at_however_many_there_are(self) -> None:
        stand = IntakeStand()
        home = home_of(SIGNAL_KEY)
        stand.take(signal_record())
        table = stand.tables[INTAKE_SIGNALS]
        (value,) = (value for _, value in table.items_of(home))
        with table.bound(home):
            for number in range(1_999):
                table[signal_table_key("0344", "woonstad", f"more-{number}")] = value
        for _ in range(5):
            stand.sweep(home, NOON + 9_000 * DAY)
        assert table.size_of(home) == 0

    def test_a_signal_that_was_swept_is_new_when_it_comes_again(self) -> None:
        stand = IntakeStand()
        stand.take(signal_record())
        stand.sweep(home_of(SIGNAL_KEY), NOON + (RESEND_DAYS + 1) * DAY)
        assert len(stand.take(signal_record())) == 1
