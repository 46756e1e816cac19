"""Cases of a sender's system: each passes, fails with a reason, or is missing; and no reason holds what was sent."""

from pathlib import Path
from typing import Any

import pytest
from signaalwissel.processors.conformance import (
    EVERY_RECORD,
    Case,
    CasesUnusable,
    Placed,
    Report,
    Status,
    load_cases,
    packaged_cases,
    report_of,
    whole,
)
from signaalwissel.processors.dead_letters import About
from signaalwissel.processors.every_finding import every_finding
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.simulation_lines import RECORDS
from signaalwissel.processors.wire_findings import Looked, WireFinding

CASES = packaged_cases()
SIGNALS = [case for case in CASES if case.topic == "signals"]
PLAIN = next(case for case in SIGNALS if case.id == "signal-bsn")
AGAIN = next(case for case in SIGNALS if case.id == "signal-again")


def placed(case: Case, offset: int = 0, **fields: Any) -> Placed:
    return Placed(f"t[0]@{offset}", Looked(About(), {**whole(case), **fields}, ()))


def statuses(report: Report) -> dict[str, Status]:
    return {verdict.case_id: verdict.status for verdict in report.verdicts}


def failures(case: Case, *records: Placed) -> tuple[str, ...]:
    return report_of([case], records).verdicts[0].failures


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_intake_would_take_the_record_of_every_case(case: Case) -> None:
    assert every_finding(case.topic, whole(case), packaged_policies(for_every_code=True)) == []


def test_there_are_cases_for_every_input() -> None:
    assert {case.topic for case in CASES} == set(RECORDS)


@pytest.mark.parametrize("topic", RECORDS)
def test_a_sender_that_publishes_the_records_passes(topic: str) -> None:
    cases = [case for case in CASES if case.topic == topic]
    report = report_of(cases, [placed(case) for case in cases for _ in range(case.times)])
    assert report.passed
    assert set(statuses(report)) == {case.id for case in cases} | {EVERY_RECORD}


def test_a_case_of_which_nothing_is_there_is_missing_and_nothing_passes_with_it() -> None:
    report = report_of(SIGNALS[:2], [placed(SIGNALS[0])])
    assert statuses(report)[SIGNALS[1].id] is Status.MISSING
    assert not report.passed


def test_a_field_must_have_the_value_of_the_case_which_is_told_and_that_of_the_sender_is_not() -> None:
    (told,) = failures(PLAIN, placed(PLAIN, arrears="4711.00"))
    assert told == "t[0]@0: arrears: must be '182.40' here"


def test_a_field_that_the_case_leaves_out_must_be_absent() -> None:
    (told,) = failures(PLAIN, placed(PLAIN, customer_reference=""))
    assert told == "t[0]@0: customer_reference: must be absent"


def test_a_field_inside_a_record_is_told_by_its_path() -> None:
    (told,) = failures(PLAIN, placed(PLAIN, subject={**whole(PLAIN)["subject"], "bsn": None}))
    assert told == "t[0]@0: subject.bsn: must be '999990019' here, and is absent"


def test_a_client_in_a_list_is_told_by_its_place() -> None:
    case = next(case for case in CASES if case.id == "trajectory-applied")
    first, second = whole(case)["clients"]
    (told,) = failures(case, placed(case, clients=[first, {**second, "house_number": 13}]))
    assert told == "t[0]@0: clients[1].house_number: must be 12 here"


def test_a_free_field_is_the_senders_own_and_so_is_what_is_inside_it() -> None:
    own = {"partner_id": "warmte-oost", "kind": "OTHER"}
    assert failures(PLAIN, placed(PLAIN, partner=own, received_at="2026-03-01T00:00:00.000Z")) == ()


def test_what_must_be_there_twice_fails_when_it_is_there_once() -> None:
    assert failures(AGAIN, placed(AGAIN)) == ("is there 1 times, and must be there 2 times",)


def test_what_is_there_twice_must_be_the_same_in_free_fields_too() -> None:
    other = placed(AGAIN, 1, received_at="2026-02-11T10:00:00.000Z")
    assert failures(AGAIN, placed(AGAIN), other) == ("is there more than once, with different content",)


def test_a_finding_about_its_bytes_fails_a_case() -> None:
    finding = WireFinding("OTHER_KEY", "key", "has none", refused=False)
    record = placed(PLAIN)
    looked = record.looked._replace(findings=(finding,))
    assert failures(PLAIN, record._replace(looked=looked)) == ("t[0]@0: key: has none (OTHER_KEY)",)


def test_a_record_of_no_case_that_cannot_be_read_fails_the_run() -> None:
    broken = Looked(About(), None, (WireFinding("NOT_WIRE_FORMAT", None, "is none", refused=True),))
    report = report_of([PLAIN], [placed(PLAIN), Placed("t[0]@9", broken)])
    assert statuses(report) == {PLAIN.id: Status.PASSED, EVERY_RECORD: Status.FAILED}
    assert report.verdicts[-1].failures == ("t[0]@9: record: is none (NOT_WIRE_FORMAT)",)


def test_a_good_record_of_no_case_is_nobodys_concern() -> None:
    assert report_of([PLAIN], [placed(PLAIN), placed(AGAIN)]).passed


def test_a_thousand_broken_records_are_told_in_twenty_lines() -> None:
    broken = Looked(About(), None, (WireFinding("NOT_WIRE_FORMAT", None, "is none", refused=True),))
    told = report_of([PLAIN], [Placed("t[0]@0", broken)] * 1000).verdicts[-1].failures
    assert (len(told), told[-1]) == (21, "and 980 more")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[case", "is not TOML"),
        ("", "holds no [[case]]"),
        ('[[case]]\nid = "x"', "case 1: topic: Field required"),
        (
            '[[case]]\nid="x"\ntopic="tasks"\ntitle="t"\nsituation="s"\nrecord={}',
            "case x: topic: must be one of",
        ),
        (
            '[[case]]\nid="x"\ntopic="signals"\ntitle="t"\nsituation="s"\nrecord={}',
            "case x: record.signal_id:",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_case(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "cases.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(CasesUnusable) as told:
        load_cases(file)
    assert str(told.value).startswith(f"{file}: ")
    assert says in str(told.value)


def test_two_cases_with_one_number_are_refused(tmp_path: Path) -> None:
    text = '[[case]]\nid="{}"\ntopic="task-updates"\ntitle="t"\nsituation="s"\n[case.record]\nupdate_id="u"\n'
    text += 'task_id="k"\noccurred_at="2026-02-12T10:00:00Z"\nkind="ACCEPTED"\nby="c"\n'
    file = tmp_path / "cases.toml"
    file.write_text(text.format("one") + text.format("two"), "utf-8")
    with pytest.raises(CasesUnusable, match="two cases have the same id"):
        load_cases(file)
