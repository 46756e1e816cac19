"""All findings at once, by the very rules that stop at the first."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.every_finding import every_finding
from signaalwissel.processors.policy import Policies, packaged_policies
from signaalwissel.processors.simulation_lines import findings_in

from tests.sources.gateway_support import event, signal, update

EVERYWHERE = packaged_policies(for_every_code=True)
GOOD = {
    "signals": signal(received_at="2026-02-28T10:00:00Z"),
    "trajectories": event(counsellor={"counsellor_id": "c-7", "team": "t"}),
    "task-updates": update(),
}
ODD: list[Any] = [
    None,
    "",
    "x",
    0,
    -1,
    10**30,
    True,
    [],
    {},
    [{}],
    [None],
    {"bsn": "123456789"},
    "é",
    "2026-02-30",
]


def fields(topic: str, value: Any) -> list[str | None]:
    return [finding.field for finding in every_finding(topic, value, EVERYWHERE)]


@pytest.mark.parametrize("topic", GOOD)
def test_a_good_record_has_no_finding(topic: str) -> None:
    assert every_finding(topic, GOOD[topic], EVERYWHERE) == []


@pytest.mark.parametrize(
    ("topic", "value", "expected"),
    [
        ("signals", {}, ["signal_id", "municipality", "partner", "subject", "arrears", "received_at"]),
        (
            "signals",
            {
                **GOOD["signals"],
                "partner": {"kind": "X"},
                "subject": {"bsn": "1", "postcode": "1"},
                "arrears": "0",
            },
            ["partner.partner_id", "partner.kind", "subject.bsn", "subject.postcode", "arrears"],
        ),
        ("signals", {**GOOD["signals"], "foo": 1, "arrears": "0"}, [None, "arrears"]),
        ("signals", [], [None]),
        ("signals", None, [None]),
        (
            "trajectories",
            {**GOOD["trajectories"], "kind": "EXITED", "sequence": -1, "clients": [{"bsn": "1"}, {}]},
            ["sequence", "clients[0].bsn", "clients[1]", "exit_reason"],
        ),
        (
            "trajectories",
            {**GOOD["trajectories"], "clients": [5], "counsellor": {"counsellor_id": ""}},
            ["clients[0]", "counsellor.team", "counsellor.counsellor_id"],
        ),
        ("task-updates", {"client": 5}, ["update_id", "task_id", "occurred_at", "kind", "by", "client"]),
    ],
)
def test_every_finding_is_told(topic: str, value: Any, expected: list[str | None]) -> None:
    assert fields(topic, value) == expected


def test_a_municipality_without_a_policy_is_a_finding_among_the_others() -> None:
    here = Policies(EVERYWHERE.default, {"0344": EVERYWHERE.default})
    value = {**GOOD["signals"], "municipality": "0599", "arrears": "0"}
    found = every_finding("signals", value, here)
    assert [(finding.code, finding.field) for finding in found] == [
        ("UNKNOWN_MUNICIPALITY", "municipality"),
        ("INVALID_FIELD", "arrears"),
    ]


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_the_findings_begin_with_the_one_that_intake_would_tell(topic: str, data: st.DataObject) -> None:
    value = copy.deepcopy(GOOD[topic])
    for name in data.draw(st.sets(st.sampled_from([*sorted(value), "unknown"]))):
        value[name] = data.draw(st.sampled_from(ODD))
    before = copy.deepcopy(value)
    found = every_finding(topic, value, EVERYWHERE)
    first = findings_in({"topic": topic, "value": value}, EVERYWHERE)
    assert value == before
    assert bool(found) == (first is not None)
    if first is not None:
        assert found[0] == (first.refusal.code.value, first.refusal.field, first.refusal.rule)
    assert len({finding.field for finding in found}) == len(found)
    assert not [finding for finding in found if "123456789" in finding.rule]


def test_a_record_that_is_wrong_without_end_gets_as_many_findings_as_help() -> None:
    assert len(fields("trajectories", {**GOOD["trajectories"], "clients": [5] * 80})) == 50
