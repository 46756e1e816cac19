"""What the broker must keep to: every fault is told, with topic, setting and the command that mends it."""

import pytest
from signaalwissel.processors.topic_settings import ALWAYS, CHANGELOG, unmet_settings

WANTED = {"signals": ALWAYS, "trajectories": {**ALWAYS, "max.message.bytes": "1000"}}
RIGHT = {name: dict(settings) for name, settings in WANTED.items()}


def test_settings_that_are_as_they_must_be_are_no_fault() -> None:
    assert unmet_settings(RIGHT, WANTED) is None


def test_every_fault_is_told_with_the_command_that_mends_it() -> None:
    found = {
        "signals": {**ALWAYS, "message.timestamp.type": "CreateTime"},
        "trajectories": {**RIGHT["trajectories"], "compression.type": "producer"},
    }
    assert unmet_settings(found, WANTED) == (
        "signals has message.timestamp.type=CreateTime, which must be LogAppendTime; trajectories has "
        "compression.type=producer, which must be uncompressed: mend it with `signaalwissel topics apply`, then "
        "start again"
    )


@pytest.mark.parametrize("told", [{}, {"signals": {}}], ids=["no answer", "an empty one"])
def test_settings_that_the_broker_does_not_tell_are_a_matter_of_rights(
    told: dict[str, dict[str, str]],
) -> None:
    assert unmet_settings({"trajectories": RIGHT["trajectories"], **told}, WANTED) == (
        "the broker does not tell the settings of signals: give this program's account the right DescribeConfigs on "
        "its topics, then start again"
    )


def test_a_setting_that_the_broker_does_not_know_is_told_as_missing() -> None:
    found = {**RIGHT, "signals": {"compression.type": "uncompressed"}}
    unmet = unmet_settings(found, WANTED)
    assert unmet is not None
    assert unmet.startswith(
        "signals has no message.timestamp.type, which must be LogAppendTime: mend it with"
    )


@pytest.mark.parametrize(("size", "fits"), [("999", True), ("1000", True), ("1001", False), (None, False)])
def test_a_size_is_an_upper_bound(size: str | None, fits: bool) -> None:
    found = {**RIGHT, "trajectories": {**ALWAYS, "max.message.bytes": size}}
    assert (unmet_settings(found, WANTED) is None) is fits


@pytest.mark.parametrize(
    ("kept_ms", "fits"),
    [("86399999", False), ("86400000", True), ("604800000", True), ("-1", False), (None, False)],
)
def test_tombstones_may_be_kept_for_longer(kept_ms: str | None, fits: bool) -> None:
    found = {"changelog": {**CHANGELOG, "delete.retention.ms": kept_ms}}
    assert (unmet_settings(found, {"changelog": CHANGELOG}) is None) is fits


def test_a_bound_is_told_with_its_direction() -> None:
    found = {"changelog": {**CHANGELOG, "delete.retention.ms": "1"}}
    unmet = unmet_settings(found, {"changelog": CHANGELOG})
    assert unmet is not None
    assert unmet.startswith(
        "changelog has delete.retention.ms=1, which must be 86400000 or more: mend it with"
    )
