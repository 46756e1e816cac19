"""What is refused as bad input: the dead letter names code and field, never the value (domain 8.16)."""

from typing import Any

import pytest
from signaalwissel.processors.publishers import Publisher, Publishers

from tests.processors.given import (
    ANNA,
    BRAM,
    Case,
    Line,
    Story,
    applied,
    died,
    event,
    exited,
    objected,
    policy_with,
    refusal,
    running,
    signal,
    without,
)

INVALID, MISSING = "INVALID_FIELD", "MISSING_FIELD"


def about(**changes: Any) -> Line:
    """A signal about Anna with something wrong about her."""
    return signal(on="2026-02-20", about={**ANNA, **changes})


@pytest.mark.parametrize(
    ("when", "field"),
    [
        pytest.param(about(bsn="111222334"), "subject.bsn", id="a BSN that fails the 11-proof"),
        pytest.param(about(bsn="11122233"), "subject.bsn", id="of eight digits"),
        pytest.param(about(bsn="000000000"), "subject.bsn", id="of nothing but zeros"),
        pytest.param(about(bsn=""), "subject.bsn", id="an empty one"),
        pytest.param(about(bsn="11122233३"), "subject.bsn", id="with a digit of another script"),
        pytest.param(about(postcode="0511AB"), "subject.postcode", id="a postcode that starts with zero"),
        pytest.param(about(postcode="3511A"), "subject.postcode", id="with one letter"),
        pytest.param(about(postcode=""), "subject.postcode", id="an empty one"),
        pytest.param(about(house_number=0), "subject.house_number", id="house number zero"),
        pytest.param(about(house_number=100_000), "subject.house_number", id="house number of six digits"),
        pytest.param(about(birth_date="1899-12-31"), "subject.birth_date", id="born before 1900"),
        pytest.param(about(birth_date="3000-01-01"), "subject.birth_date", id="born in 3000"),
        pytest.param(signal(arrears="0.00"), "arrears", id="arrears of zero"),
        pytest.param(signal(arrears="-1.00"), "arrears", id="arrears of less"),
        pytest.param(signal(arrears_since="1899-12-31"), "arrears_since", id="arrears since before 1900"),
        pytest.param(signal(municipality="344"), "municipality", id="a municipality code of three digits"),
        pytest.param(signal(municipality="GM0344"), "municipality", id="with letters"),
        pytest.param(signal(signal_id=""), "signal_id", id="an empty id"),
        pytest.param(signal(signal_id="x" * 201), "signal_id", id="an id of 201 characters"),
        pytest.param(signal(signal_id="a\x1fb"), "signal_id", id="an id with what cannot be printed"),
        pytest.param(
            signal(partner={"partner_id": "", "kind": "RENT"}), "partner.partner_id", id="an empty partner id"
        ),
        pytest.param(signal(on="1899-12-31T23:59:59Z"), "received_at", id="received before 1900"),
        pytest.param(signal(on="3000-01-01T00:00:00Z"), "received_at", id="received in 3000"),
        pytest.param(
            signal(on="2026-02-20", signalled_on="2026-02-21"),
            "signalled_on",
            id="sent after the day of receipt",
        ),
        pytest.param(
            signal(on="2026-03-04", signalled_on="2025-12-31"), "signalled_on", id="sent 63 days before it"
        ),
        pytest.param(
            signal(on="2026-02-20", signalled_on="1899-01-01"), "signalled_on", id="sent before 1900"
        ),
    ],
)
def test_a_signal_with_a_wrong_value_is_refused(when: Line, field: str) -> None:
    assert refusal(when) == (INVALID, field)


@pytest.mark.parametrize(
    "when",
    [
        pytest.param(about(bsn="100000009"), id="a BSN whose sum is zero passes the 11-proof"),
        pytest.param(about(bsn="000000012"), id="so does one that starts with zeros"),
        pytest.param(about(postcode="3511 ab"), id="a postcode with a space in lower case"),
        pytest.param(about(house_number=99_999), id="the highest house number"),
        pytest.param(about(birth_date="1900-01-01"), id="born on the first day of 1900"),
        pytest.param(signal(arrears="0.01"), id="arrears of a cent"),
        pytest.param(signal(signal_id="x" * 200), id="an id of 200 characters"),
        pytest.param(signal(on="2026-03-04", signalled_on="2026-01-01"), id="sent 62 days before receipt"),
        pytest.param(signal(on="2026-02-20", signalled_on="2026-02-20"), id="sent on the day of receipt"),
        pytest.param(signal(on="2999-12-31T23:59:59.999Z"), id="the last moment of 2999"),
        pytest.param(signal(on="1900-01-01T00:00:00Z"), id="the first of 1900"),
    ],
)
def test_what_is_just_allowed_is_accepted(when: Line) -> None:
    case = Case()
    assert [line["topic"] for line in case.feed(when)] == ["regular-flow", "decisions"]


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param({}, id="nothing"),
        pytest.param(without(ANNA, "bsn", "postcode"), id="no postcode"),
        pytest.param(without(ANNA, "bsn", "house_number"), id="no house number"),
        pytest.param({"surname": "Jansen", "birth_date": "1980-05-17"}, id="name and birth date"),
    ],
)
def test_a_signal_without_any_identity_is_refused(subject: dict[str, Any]) -> None:
    assert refusal(signal(about=subject)) == (MISSING, "subject")
    assert refusal(applied("2025-01-10", subject)) == (MISSING, "clients[0]")


@pytest.mark.parametrize(
    ("when", "then"),
    [
        pytest.param(
            event("APPLIED", "2025-01-10"), (MISSING, "clients"), id="an application without clients"
        ),
        pytest.param(
            event("CLIENT_CHANGED", "2025-01-10"), (MISSING, "clients"), id="a change without clients"
        ),
        pytest.param(event("EXITED", "2025-01-10"), (MISSING, "exit_reason"), id="an exit without reason"),
        pytest.param(event("SERVICE_OPENED", "2025-01-10"), (MISSING, "service"), id="which service opened"),
        pytest.param(event("SERVICE_CLOSED", "2025-01-10"), (MISSING, "service"), id="which service closed"),
        pytest.param(
            event("COUNSELLOR_ASSIGNED", "2025-01-10"), (MISSING, "counsellor"), id="which counsellor"
        ),
        pytest.param(applied("2025-01-10", ANNA, BRAM, ANNA), (INVALID, "clients"), id="three clients"),
        pytest.param(
            applied("2025-01-10", ANNA, without(BRAM, bsn="1")),
            (INVALID, "clients[1].bsn"),
            id="whose BSN is wrong",
        ),
        pytest.param(
            event("ADMITTED", "1899-12-31", recorded="2025-01-10"), (INVALID, "occurred_on"), id="before 1900"
        ),
        pytest.param(
            event("ADMITTED", "2025-01-10", recorded="1899-12-31"),
            (INVALID, "recorded_at"),
            id="recorded before 1900",
        ),
        pytest.param(
            event("ADMITTED", "2025-01-10", event_id=""), (INVALID, "event_id"), id="an empty event id"
        ),
        pytest.param(
            event("ADMITTED", "2025-01-10", trajectory=""),
            (INVALID, "trajectory_id"),
            id="an empty trajectory id",
        ),
        pytest.param(
            event("ADMITTED", "2025-01-10", municipality="34"),
            (INVALID, "municipality"),
            id="a wrong municipality",
        ),
    ],
)
def test_an_event_without_what_its_kind_requires_is_refused(when: Story, then: tuple[str, str]) -> None:
    assert refusal(when) == then


@pytest.mark.parametrize(
    "nameless",
    [
        pytest.param(died("2026-01-10"), id="a death"),
        pytest.param(objected("2026-01-10"), id="an objection"),
        pytest.param(event("OBJECTION_WITHDRAWN", "2026-01-10"), id="a withdrawn objection"),
    ],
)
class TestWhichOfTwo:
    """An event that concerns one client must name him where the trajectory has two."""

    def test_it_is_refused_where_the_trajectory_has_two(self, nameless: Story) -> None:
        assert refusal(running("2025-01-10", ANNA, BRAM), nameless) == (MISSING, "clients")

    def test_it_is_refused_when_it_waited_for_the_application_of_two(self, nameless: Story) -> None:
        case = Case()
        (line,) = nameless
        waited = {"topic": "trajectories", "value": {**line["value"], "sequence": 9}}
        assert not case.feed(waited)
        came = case.feed(applied("2025-01-10", ANNA, BRAM, sequence=1), signal(on="2026-02-20"))
        assert [
            (c["value"]["code"], c["value"]["event_id"]) for c in came if c["topic"] == "dead-letters"
        ] == [(MISSING, "T1-9")]
        assert case.decision().reason == "RUNNING_TRAJECTORY"

    def test_it_needs_no_name_where_there_is_one(self, nameless: Story) -> None:
        case = Case()
        case.feed(running(), nameless)
        assert not case.records("dead-letters")


class TestOrphans:
    """An event waits thirty days for the application of its trajectory (domain 8.16)."""

    @pytest.mark.parametrize(
        ("until", "refused"),
        [
            pytest.param("2026-02-09T12:00:00Z", 0, id="thirty days it waits"),
            pytest.param("2026-02-09T12:00:00.001Z", 1, id="then it is refused, and what came later is not"),
            pytest.param("2026-02-19T12:00:00Z", 1, id="that waits for itself"),
            pytest.param("2026-02-19T12:00:00.001Z", 2, id="as long"),
        ],
    )
    def test_it_is_refused_after_thirty_days(self, until: str, refused: int) -> None:
        case = Case()
        case.feed(event("ADMITTED", "2026-01-10", sequence=2), exited("2026-01-20", sequence=3))
        came = [line for line in case.feed(signal(on=until)) if line["topic"] == "dead-letters"]
        assert [line["value"]["code"] for line in came] == ["ORPHANED_EVENT"] * refused
        assert {line["value"]["field"] for line in came} <= {"trajectory_id"}

    def test_with_its_application_it_counts(self) -> None:
        case = Case()
        case.feed(
            exited("2026-01-20", sequence=3), applied("2025-01-10", sequence=1), signal(on="2026-02-20")
        )
        assert case.decision().reason == "COMPLETED_WITHIN_WINDOW"

    def test_an_application_after_that_finds_nothing_waiting(self) -> None:
        case = Case()
        case.feed(exited("2026-01-20", sequence=3), signal(on="2026-03-01", signal_id="S0"))
        case.feed(applied("2025-01-10", sequence=1), signal(on="2026-03-02"))
        assert case.decision().reason == "RUNNING_TRAJECTORY"

    def test_erased_while_it_waits_is_gone(self) -> None:
        case = Case()
        case.feed(exited("2026-01-20", sequence=3), event("ERASED", "2026-01-21"))
        assert not [line for line in case.feed(signal(on="2026-06-01")) if line["topic"] == "dead-letters"]

    def test_how_long_is_a_setting(self) -> None:
        case = Case(policy_with(intake={"orphan_days": 5}))
        case.feed(event("ADMITTED", "2026-01-10", sequence=2))
        assert case.feed(signal(on="2026-01-16"))[0]["value"]["code"] == "ORPHANED_EVENT"


ALLOWED = Publishers(
    {
        "signals.woonstad": Publisher(municipalities=frozenset({"0344"}), partners=frozenset({"woonstad"})),
        "signals.anybody": Publisher(),
        "trajectories.stratech": Publisher(municipalities=frozenset({"0363"})),
    }
)


@pytest.mark.parametrize(
    ("topic", "line", "field"),
    [
        pytest.param("signals.woonstad", signal(), None, id="its own municipality and partner"),
        pytest.param(
            "signals.woonstad", signal(municipality="0363"), "municipality", id="another municipality"
        ),
        pytest.param(
            "signals.woonstad",
            signal(partner={"partner_id": "stroom", "kind": "ENERGY"}),
            "partner.partner_id",
            id="another partner",
        ),
        pytest.param("signals.anybody", signal(), None, id="no limit"),
        pytest.param("signals", signal(municipality="0363"), None, id="a topic that the list does not name"),
        pytest.param(
            "trajectories.stratech",
            applied(sequence=1, event_id="e1")[0],
            "municipality",
            id="a case system of another municipality",
        ),
    ],
)
def test_a_topic_speaks_for_its_own_municipalities_and_partners(
    topic: str, line: Line, field: str | None
) -> None:
    came = Case(publishers=ALLOWED).feed({**line, "topic": topic})
    letters = [c["value"] for c in came if c["topic"] == "dead-letters"]
    assert [(v["code"], v["field"], v["topic"]) for v in letters] == (
        [] if field is None else [("PUBLISHER_NOT_ALLOWED", field, topic)]
    )


def test_a_dead_letter_names_the_record_and_tells_no_value() -> None:
    (letter,) = Case().feed(about(bsn="111222334"))
    assert letter["value"]["signal_id"] == letter["value"]["record_id"] == "S1"
    assert letter["value"]["municipality"] == "0344"
    assert "111222334" not in str(letter)
