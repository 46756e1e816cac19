"""`keys rotate` by what intake and matcher committed; the tests write that in their place."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from signaalwissel.console import rotating, runtime
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.recent_signal_codec import write_recent_signal
from signaalwissel.schemas.rotation import MatchRotation, RotationPhase, RotationStep
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.topics import (
    INTAKE_ROTATIONS,
    MATCHER_RECENTS,
    MATCHER_ROTATIONS,
    changelog_topic,
)

from tests.console.console_support import MUNICIPALITY, PARTITIONS, CommandLine, Installation
from tests.processors.keyed import KEY, keyed_signal, recent

Phase = RotationPhase
EVERY = range(PARTITIONS)
PERIOD = packaged_policies().default.corrections.period_days


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody runs: whoever waits for a worker waits in vain."""
    monkeypatch.setattr(rotating, "PATIENCE_S", 0.0)


class Workers:
    """Writes what intake and matcher would commit."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._names = runtime.names(installation.settings)

    def intake(self, phase: Phase, *, finished: bool = True, partitions: Iterable[int] = EVERY) -> None:
        self._write(
            changelog_topic(self._names.intake_app, INTAKE_ROTATIONS), phase, partitions, finished=finished
        )

    def matcher(self) -> None:
        self._write(
            changelog_topic(self._names.matcher_app, MATCHER_ROTATIONS), Phase.RETIRED, EVERY, finished=True
        )

    def recent(self, name: str, match_key: bytes, *, gone: bool = False) -> date:
        """A recent signal in the matcher's table, or its removal; gives the day on which it was written."""
        signal = keyed_signal(name)
        value = write_recent_signal(recent(match_key, signal, now_ms()))
        producer = self._installation.producer()
        topic = changelog_topic(self._names.matcher_app, MATCHER_RECENTS)
        producer.send(topic, key=signal.signal_ref, value=None if gone else value, partition=0)
        producer.close()
        return amsterdam_day(now_ms())

    def _write(self, topic: str, phase: Phase, partitions: Iterable[int], *, finished: bool) -> None:
        producer = self._installation.producer()
        value = codec("MatchRotation").encode(MatchRotation(MUNICIPALITY, 1, 2, phase, finished))
        for partition in partitions:
            producer.send(topic, key=MUNICIPALITY.encode(), value=value, partition=partition)
        producer.close()


@pytest.fixture
def workers(installation: Installation) -> Workers:
    """Nobody, until the test says what they did."""
    return Workers(installation)


def steps(installation: Installation, topic: str, count: int) -> list[tuple[int, RotationStep]]:
    """The steps that were sent, by partition."""
    return sorted(
        (record.partition, codec("RotationStep").decode(record.value))
        for record in installation.records(topic, count)
    )


def told(phase: Phase) -> list[tuple[int, RotationStep]]:
    return [(partition, RotationStep(MUNICIPALITY, 1, 2, phase)) for partition in EVERY]


def test_it_makes_the_secret_tells_every_partition_and_says_who_is_waited_for(
    workers: Workers, installation: Installation, signaalwissel: CommandLine
) -> None:
    ended = signaalwissel("keys", "rotate", MUNICIPALITY)
    assert ended.code == 1
    assert f"keys rotate {MUNICIPALITY} --continue" in ended.err
    assert "worker" in ended.err
    assert installation.keys.match_versions(MUNICIPALITY) == (1, 2)
    assert steps(installation, "intake-commands", PARTITIONS) == told(Phase.DUAL)


def test_run_again_it_makes_no_third_secret_and_tells_only_who_was_not_told(
    workers: Workers, installation: Installation, signaalwissel: CommandLine
) -> None:
    installation.keys.make_match_secret(MUNICIPALITY, 2)
    workers.intake(Phase.DUAL, finished=False, partitions=[1])
    assert signaalwissel("keys", "rotate", MUNICIPALITY).code == 1
    assert installation.keys.match_versions(MUNICIPALITY) == (1, 2)
    assert steps(installation, "intake-commands", 1) == told(Phase.DUAL)[:1]
    assert installation.end_offsets("intake-commands") == 1


def test_signals_switch_only_when_every_partition_has_finished(
    workers: Workers, installation: Installation, signaalwissel: CommandLine
) -> None:
    installation.keys.make_match_secret(MUNICIPALITY, 2)
    workers.intake(Phase.DUAL, partitions=[0])
    workers.intake(Phase.DUAL, finished=False, partitions=[1])
    assert signaalwissel("keys", "rotate", MUNICIPALITY, "--continue").code == 1
    assert installation.end_offsets("intake-commands") == 0
    workers.intake(Phase.DUAL, partitions=[1])
    assert signaalwissel("keys", "rotate", MUNICIPALITY, "--continue").code == 1
    assert steps(installation, "intake-commands", PARTITIONS) == told(Phase.SWITCHED)


def test_it_waits_while_a_signal_under_the_old_secret_can_be_corrected(
    workers: Workers, installation: Installation, signaalwissel: CommandLine
) -> None:
    installation.keys.make_match_secret(MUNICIPALITY, 2)
    workers.intake(Phase.SWITCHED)
    workers.recent("S1", b"\x00\x01" + KEY[2:])
    day = workers.recent("S2", b"\x80\x01" + KEY[2:])
    workers.recent("S3", b"\x00\x02" + KEY[2:])
    ended = signaalwissel("keys", "rotate", MUNICIPALITY, "--json")
    assert ended.code == 0
    until = day + timedelta(days=PERIOD)
    found = {name: ended.json[name] for name in ("stage", "old", "new", "correctable", "correctable_until")}
    assert found == {
        "stage": "CORRECTING",
        "old": 1,
        "new": 2,
        "correctable": 2,
        "correctable_until": until.isoformat(),
    }
    assert installation.end_offsets("intake-commands") == 0
    assert installation.keys.match_versions(MUNICIPALITY) == (1, 2)
    workers.recent("S1", b"", gone=True)
    assert signaalwissel("keys", "rotate", MUNICIPALITY, "--status", "--json").json["correctable"] == 1


def test_it_waits_for_a_matcher_that_has_not_read_the_last_signal_under_the_old_secret(
    workers: Workers, installation: Installation, signaalwissel: CommandLine
) -> None:
    installation.keys.make_match_secret(MUNICIPALITY, 2)
    workers.intake(Phase.SWITCHED)
    producer = installation.producer()
    producer.send(f"{installation.prefix}resident-events", key=KEY, value=b"unread")
    producer.close()
    ended = signaalwissel("keys", "rotate", MUNICIPALITY)
    assert ended.code == 1
    assert "matcher to read" in ended.err
    assert installation.end_offsets("intake-commands") == 0


def test_then_the_old_one_goes_from_intake_from_the_matcher_and_for_good(
    workers: Workers, installation: Installation, signaalwissel: CommandLine
) -> None:
    installation.keys.make_match_secret(MUNICIPALITY, 2)
    workers.intake(Phase.SWITCHED)
    workers.recent("S1", b"\x00\x01" + KEY[2:])
    workers.recent("S1", b"", gone=True)
    assert signaalwissel("keys", "rotate", MUNICIPALITY).code == 1
    assert steps(installation, "intake-commands", PARTITIONS) == told(Phase.RETIRED)
    assert installation.end_offsets("resident-events") == 0

    workers.intake(Phase.RETIRED)
    assert signaalwissel("keys", "rotate", MUNICIPALITY).code == 1
    assert steps(installation, "resident-events", PARTITIONS) == told(Phase.RETIRED)
    assert installation.keys.match_versions(MUNICIPALITY) == (1, 2)

    workers.matcher()
    ended = signaalwissel("keys", "rotate", MUNICIPALITY, "--json")
    assert ended.code == 0
    assert (ended.json["stage"], ended.json["old"], ended.json["new"]) == ("NONE", None, 2)
    assert installation.keys.match_versions(MUNICIPALITY) == (2,)
    assert (installation.key_dir / MUNICIPALITY / "match-1.secret").read_bytes() == b""


@pytest.mark.parametrize("option", ["--status", "--dry-run"])
@pytest.mark.parametrize("under_way", [True, False])
def test_looking_changes_nothing(
    workers: Workers, installation: Installation, signaalwissel: CommandLine, option: str, under_way: bool
) -> None:
    if under_way:
        installation.keys.make_match_secret(MUNICIPALITY, 2)
        workers.intake(Phase.DUAL, finished=False)
    before = installation.keys.match_versions(MUNICIPALITY)
    ended = signaalwissel("keys", "rotate", MUNICIPALITY, option, "--json")
    assert ended.code == 0
    assert ended.json["stage"] == ("DUAL_WRITING" if under_way else "NONE")
    assert ("would make match secret 2" in ended.json["next"]) is (option == "--dry-run" and not under_way)
    assert installation.keys.match_versions(MUNICIPALITY) == before
    assert installation.end_offsets("intake-commands") == 0


def test_to_go_on_where_nothing_is_under_way_begins_nothing(
    workers: Workers, installation: Installation, signaalwissel: CommandLine
) -> None:
    ended = signaalwissel("keys", "rotate", MUNICIPALITY, "--continue")
    assert ended.code == 0
    assert "no rotation is under way" in ended.out
    assert installation.keys.match_versions(MUNICIPALITY) == (1,)


def test_a_municipality_without_keys_has_nothing_to_rotate(
    workers: Workers, signaalwissel: CommandLine
) -> None:
    ended = signaalwissel("keys", "rotate", "0363")
    assert ended.code == 2
    assert "keys create" in ended.err


def test_without_the_topics_it_ends_with_2(unprepared: Installation, signaalwissel: CommandLine) -> None:
    unprepared.keys.make_match_secret(MUNICIPALITY, 2)
    ended = signaalwissel("keys", "rotate", MUNICIPALITY)
    assert ended.code == 2
    assert "topics apply" in ended.err


class TestDoctor:
    """What `doctor` says of a rotation."""

    def rotation(self, signaalwissel: CommandLine) -> Any:
        (found,) = [one for one in signaalwissel("doctor", "--json").json if "rotation" in one["check"]]
        return found

    def test_one_that_was_broken_off_is_to_be_gone_on_with(
        self, workers: Workers, installation: Installation, signaalwissel: CommandLine
    ) -> None:
        installation.keys.make_match_secret(MUNICIPALITY, 2)
        workers.intake(Phase.DUAL, partitions=[0])
        found = self.rotation(signaalwissel)
        assert (found["check"], found["ok"]) == (f"rotation {MUNICIPALITY}", False)
        assert "partitions 1" in found["detail"]
        assert f"keys rotate {MUNICIPALITY} --continue" in found["fix"]

    def test_one_that_waits_for_corrections_is_well_until_they_are_over(
        self, workers: Workers, installation: Installation, signaalwissel: CommandLine
    ) -> None:
        installation.keys.make_match_secret(MUNICIPALITY, 2)
        workers.intake(Phase.SWITCHED)
        workers.recent("S1", b"\x00\x01" + KEY[2:])
        found = self.rotation(signaalwissel)
        assert found["ok"]
        assert "1 under the old one can still be corrected" in found["detail"]
        workers.recent("S1", b"", gone=True)
        found = self.rotation(signaalwissel)
        assert not found["ok"]
        assert "--continue" in found["fix"]

    def test_a_third_secret_is_no_rotation(
        self, installation: Installation, signaalwissel: CommandLine
    ) -> None:
        for version in (2, 3):
            installation.keys.make_match_secret(MUNICIPALITY, version)
        found = self.rotation(signaalwissel)
        assert (found["ok"], "1, 2, 3" in found["detail"]) == (False, True)
