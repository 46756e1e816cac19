"""A rotation of match secrets is invisible in routes, whatever it meets and wherever it is broken off (ADR 8)."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.processors.pseudonyms import secret_version
from signaalwissel.processors.rotation_plan import RotationStage
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.rotation import RotationPhase, RotationStep
from signaalwissel.streams import walks
from signaalwissel.streams.outputs import partition_of
from signaalwissel.streams.topics import MATCHER_RECENTS

from tests.processors.given import applied, signal
from tests.processors.given import event as event_line
from tests.processors.strategies import Town, towns
from tests.streams.handler_support import PARTITIONS, on_topic
from tests.streams.rotation_support import LATE, MUNICIPALITY, NOW, Plant

Phase = RotationPhase

ACTIONS = [
    *(("tell", partition) for partition in range(PARTITIONS)),
    *(("sweep", partition) for partition in range(PARTITIONS)),
    ("restart intake", 0),
    ("restart matcher", 0),
    ("read", 2),
    ("read", 50),
]


def act(plant: Plant, action: tuple[str, int]) -> None:
    """Something of a rotation, of a restart, or of the matcher's reading."""
    kind, number = action
    if kind == "tell":
        plant.tell(number)
    elif kind == "sweep":
        plant.sweep_intake(number)
    elif kind == "read":
        plant.read(number)
    elif kind == "restart intake":
        plant.intake.start()
    else:
        plant.matcher.start()


@settings(max_examples=80, deadline=None)
@given(towns(), st.data(), st.sampled_from([1, 2, 500]))
def test_any_order_of_records_steps_and_restarts_ends_as_without_a_rotation(
    town: Town, data: st.DataObject, size: int
) -> None:
    records = data.draw(st.permutations([*town.events, *town.signals]))
    plain, plant = Plant(), Plant()
    plant.alive = (1, 2)
    with mock.patch.object(walks, "SLICE", size):
        plant.intake.start()
        plant.matcher.start()
        for record in records:
            for action in data.draw(st.lists(st.sampled_from(ACTIONS), max_size=5)):
                act(plant, action)
            plant.take(record)
            plain.take(record)
        plain.read()
        plant.read()
        assert plant.answers() == plain.answers()
        # What a rotation does afterwards changes no answer either.
        plant.go_to_corrections()
        plant.read()
    assert plant.answers() == plain.answers()
    plant.check_one_key()


@settings(max_examples=80, deadline=None)
@given(towns(), st.data())
def test_where_the_matcher_keeps_up_no_signal_is_even_corrected_otherwise(
    town: Town, data: st.DataObject
) -> None:
    records = data.draw(st.permutations([*town.events, *town.signals]))
    plain, plant = Plant(), Plant()
    plant.alive = (1, 2)
    for record in records:
        for action in data.draw(st.lists(st.sampled_from(ACTIONS), max_size=5)):
            act(plant, action)
            plant.read()
        plant.take(record)
        plant.read()
        plain.take(record)
        plain.read()
    assert sorted(plant.decisions, key=str) == sorted(plain.decisions, key=str)


@settings(max_examples=60, deadline=None)
@given(towns(), towns(), st.data())
def test_after_retirement_nothing_lies_under_the_old_secret_and_signals_find_the_same(
    town: Town, later: Town, data: st.DataObject
) -> None:
    """The signals that come later are those of another town: about the same people, under other numbers."""
    size = data.draw(st.sampled_from([1, 500]))
    plain, plant = Plant(), Plant()
    plant.alive = (1, 2)
    with mock.patch.object(walks, "SLICE", size):
        plant.intake.start()
        plant.matcher.start()
        for record in [*town.events, *town.signals]:
            for action in data.draw(st.lists(st.sampled_from(ACTIONS), max_size=3)):
                act(plant, action)
            plant.take(record)
            plain.take(record)
        plant.go_to_corrections()
        for one in (plant, plain):
            one.read()
            one.sweep_matcher(LATE)
        decided = len(plant.decisions)
        if data.draw(st.booleans()):
            plant.intake.start()
        plant.retire()
        assert len(plant.decisions) == decided
    versions = plant.versions()
    assert versions["intake"] <= {2}
    assert versions["copies"] <= {2}
    for record in (s._replace(signal_id=f"late-{s.signal_id}") for s in later.signals):
        for one in (plant, plain):
            one.take(record)
            one.read()
    assert plant.answers() == plain.answers()
    assert {secret_version(key) for ref, key in plant.keyed[len(town.signals) :]} <= {2}


def a_town() -> list[Any]:
    """Anna's application, and a signal about her."""
    (line,) = applied()
    begun = codec("TrajectoryEvent").from_json({**line["value"], "event_id": "e-1", "sequence": 1})
    return [begun, codec("EarlySignal").from_json(signal()["value"])]


class TestSteps:
    """What intake and matcher make of single steps."""

    def test_a_step_that_comes_again_or_late_changes_nothing(self) -> None:
        plant = Plant()
        for phase in (Phase.DUAL, Phase.SWITCHED, Phase.SWITCHED, Phase.DUAL):
            assert plant.tell_intake(RotationStep(MUNICIPALITY, 1, 2, phase), 0) == []
        assert plant.phase_at(0) is Phase.SWITCHED
        assert plant.phase_at(1) is None

    @pytest.mark.parametrize(
        ("step", "field"),
        [
            (RotationStep(MUNICIPALITY, 2, 2, Phase.DUAL), "new"),
            (RotationStep(MUNICIPALITY, 0, 2, Phase.DUAL), "new"),
            (RotationStep(MUNICIPALITY, 1, 0x8000, Phase.DUAL), "new"),
            (RotationStep("344", 1, 2, Phase.DUAL), "municipality"),
        ],
    )
    def test_what_is_no_step_is_a_dead_letter(self, step: RotationStep, field: str) -> None:
        (sent,) = Plant().tell_intake(step, 0)
        assert (sent.letter.code, sent.letter.field) == ("INVALID_FIELD", field)

    def test_the_matcher_takes_the_last_step_only(self) -> None:
        (sent,) = Plant().tell_matcher(RotationStep(MUNICIPALITY, 1, 2, Phase.DUAL), 0)
        assert (sent.letter.code, sent.letter.field) == ("INVALID_FIELD", "phase")

    def test_each_partition_of_intake_switches_by_itself(self) -> None:
        event, signal = a_town()
        plant = Plant()
        plant.take(event)
        for partition in range(PARTITIONS):
            plant.tell_intake(RotationStep(MUNICIPALITY, 1, 2, Phase.DUAL), partition)
        plant.tell_intake(RotationStep(MUNICIPALITY, 1, 2, Phase.SWITCHED), 3)
        for number in range(40):
            plant.take(signal._replace(signal_id=f"S{number}"))
        assert {secret_version(key) for _, key in plant.keyed} == {1, 2}
        plant.read()
        assert {answer for *_, answer in plant.decisions} == {
            ("COUNSELLOR_FOLLOWUP", event.trajectory_id, False)
        }

    def test_the_same_signal_after_the_switch_is_still_the_same(self) -> None:
        event, signal = a_town()
        plant = Plant()
        plant.alive = (1, 2)
        plant.take(event)
        plant.take(signal)
        plant.go_to_corrections()
        plant.take(signal)
        plant.take(signal._replace(received_at=signal.received_at + 1))
        assert [secret_version(key) for _, key in plant.keyed] == [1]


class TestRetired:
    """What comes under a secret that was retired."""

    def retired(self) -> tuple[Plant, list[Any]]:
        event, signal = a_town()
        plant = Plant()
        plant.take(event)
        plant.take(signal)
        old = list(plant.log)
        plant.alive = (1, 2)
        plant.go_to_corrections()
        plant.read()
        plant.sweep_matcher(LATE)
        plant.retire()
        return plant, old

    def test_a_copy_that_a_rebuild_brings_late_is_ignored(self) -> None:
        plant, old = self.retired()
        trajectories = [record for record in old if record.key and len(record.value or b"")][:2]
        plant.log += trajectories
        plant.read()
        assert plant.versions()["copies"] == {2}

    def test_a_signal_that_is_brought_back_is_a_dead_letter_and_not_an_answer(self) -> None:
        plant, old = self.retired()
        decided = len(plant.decisions)
        record = old[-1]
        (sent,) = plant._matched(record.key or b"", record.value, home(record.key or b""), LATE)
        assert (sent.letter.code, sent.letter.field) == ("INVALID_FIELD", "match_key")
        assert len(plant.decisions) == decided

    def test_a_restart_of_the_matcher_remembers_it(self) -> None:
        plant, old = self.retired()
        plant.matcher.start()
        record = old[-1]
        sent = plant._matched(record.key or b"", record.value, home(record.key or b""), LATE)
        assert on_topic(sent, "decisions") == []

    def test_a_signal_that_lies_there_all_the_same_goes_with_its_trajectories(self) -> None:
        """One that somebody brought back after it was looked for: without them a fresh answer would be wrong."""
        event, signal = a_town()
        plant = Plant()
        plant.take(event)
        plant.take(signal)
        plant.read()
        plant.alive = (1, 2)
        plant.go_to_corrections()
        plant.retire()
        recents = plant.matcher.tables[MATCHER_RECENTS]
        assert sum(recents.size_of(partition) for partition in range(PARTITIONS)) == 0
        assert len(plant.decisions) == 1


def test_late_events_correct_signals_under_both_secrets_until_the_old_one_goes() -> None:
    event, signal = a_town()
    plant = Plant()
    plant.alive = (1, 2)
    plant.take(event)
    plant.take(signal)
    plant.go_to_corrections()
    plant.take(signal._replace(signal_id="S-after"))
    (line,) = event_line("WITHDRAWN_IN_ERROR", "2026-02-27")
    plant.take(codec("TrajectoryEvent").from_json({**line["value"], "event_id": "e-9", "sequence": 9}), NOW)
    plant.read()
    assert [secret_version(key) for _, key in plant.keyed] == [1, 2]
    assert set(plant.answers().values()) == {("REGULAR_FLOW", None, False)}
    assert sorted(revision for _, revision, _ in plant.decisions) == [0, 0, 1, 1]


def test_a_plan_never_goes_on_while_a_partition_is_behind() -> None:
    plant = Plant()
    plant.alive = (1, 2)
    seen = [plant.state.stage]
    for _ in range(2):
        for partition in range(PARTITIONS):
            plant.tell(partition)
            seen.append(plant.state.stage)
    dual, switching = RotationStage.DUAL_WRITING, RotationStage.SWITCHING
    assert seen == [*[dual] * PARTITIONS, *[switching] * PARTITIONS, RotationStage.CORRECTING]


def home(key: bytes) -> int:
    """The partition of a match key."""
    return partition_of(key, PARTITIONS)
