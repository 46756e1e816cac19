"""Whom an event concerns that names clients, or should (domain 8.5, 8.12, 8.16).

Each case is held against the independent oracle as well.
"""

from itertools import permutations
from typing import Any

import pytest
from signaalwissel.schemas.routing import TrueReason

from tests.oracle import check
from tests.processors.given import (
    ANNA,
    AWAY,
    BRAM,
    Case,
    Line,
    Person,
    Story,
    applied,
    by_address,
    by_bsn,
    client_changed,
    died,
    event,
    exited,
    objected,
    objection_withdrawn,
    running,
    signal,
    without,
)

RUNNING, DECEASED, OBJECTION = TrueReason.RUNNING_TRAJECTORY, TrueReason.DECEASED, TrueReason.OBJECTION
COUPLE = running("2025-01-10", ANNA, BRAM)
CARL: Person = {"bsn": "999990019", **AWAY, "birth_date": "1960-03-03", "surname": "Bakker"}
TYPO = {**ANNA, "bsn": CARL["bsn"]}
NAMELESS = without(ANNA, "bsn", "birth_date")
TWIN = without(BRAM, "bsn", birth_date=ANNA["birth_date"])
HERS, HIS = signal(on="2026-02-20"), signal(on="2026-02-20", about=by_bsn(BRAM))


class Told(Case):
    """A case that also keeps its lines for the oracle."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def _numbered(self, line: Line) -> Line:
        numbered = super()._numbered(line)
        self.lines.append(numbered)
        return numbered

    def letters(self) -> list[tuple[str, str | None, str]]:
        """Code, field and rule of every dead letter."""
        values = [line["value"] for line in self.outputs if line["topic"] == "dead-letters"]
        return [(value["code"], value["field"], value["rule"]) for value in values]


def told(*stories: Story | Line) -> Told:
    case = Told()
    case.feed(*stories)
    assert check(case.lines, case.outputs) == []
    return case


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(
            [
                *running("2025-01-10", TYPO, BRAM),
                *client_changed("2025-02-01", ANNA, BRAM),
                *died("2026-01-10", TYPO),
            ],
            HERS,
            DECEASED,
            id="a BSN that was listed once and mended since",
        ),
        pytest.param(
            [
                *running("2025-01-10", TYPO, BRAM),
                *died("2026-01-10", TYPO),
                *client_changed("2026-02-01", ANNA, BRAM),
            ],
            HERS,
            DECEASED,
            id="also when it was mended after the event",
        ),
        pytest.param(
            [
                *running("2025-01-10", {**ANNA, "birth_date": "1980-05-18"}, BRAM),
                *client_changed("2025-02-01", ANNA, BRAM),
                *objected("2026-01-10", without(ANNA, "bsn", birth_date="1980-05-18")),
            ],
            HERS,
            OBJECTION,
            id="a birth date that was mended since",
        ),
        pytest.param(
            [*running("2025-01-10", ANNA, TWIN), *died("2026-01-10", without(ANNA, "bsn"))],
            HERS,
            RUNNING,
            id="a birth date of both tells nobody apart",
        ),
        pytest.param(
            [*COUPLE, *died("2026-01-10", CARL, BRAM)],
            HIS,
            DECEASED,
            id="of two that are named the one who is known",
        ),
        pytest.param(
            [
                *running("2025-01-10", ANNA, {**BRAM, "bsn": ANNA["bsn"]}),
                *client_changed("2025-02-01", ANNA, BRAM),
                *died("2026-01-10", by_bsn(ANNA)),
            ],
            HIS,
            RUNNING,
            id="a BSN that both were listed with is his who has it in the end",
        ),
        pytest.param(
            [*running(), *died("2026-01-10", NAMELESS)], HERS, DECEASED, id="an only client need not be known"
        ),
        pytest.param([*running(), *died("2026-01-10", CARL)], HERS, RUNNING, id="but not somebody else"),
        pytest.param([*running(), *exited("2026-01-10", clients=[CARL])], HERS, RUNNING, id="for no exit"),
        pytest.param(
            [*running(), *event("REFUSED", "2026-01-10", clients=[CARL])], HERS, RUNNING, id="nor refusal"
        ),
        pytest.param(
            [*running(), *died("2026-01-10", TYPO)], HERS, DECEASED, id="a wrong BSN with his birth date"
        ),
        pytest.param(
            [*running(), *died("2026-01-10", without(CARL, "bsn"))],
            HERS,
            RUNNING,
            id="another birth date is another",
        ),
        pytest.param(
            [*running("2025-01-10", without(ANNA, "bsn")), *died("2026-01-10", by_bsn(CARL))],
            signal(on="2026-02-20", about=by_address(ANNA, "birth_date")),
            DECEASED,
            id="a BSN cannot contradict where none is known",
        ),
        pytest.param(
            [
                *objected("2026-01-10", sequence=1),
                *applied("2025-01-10", ANNA, BRAM, sequence=2, recorded="2026-01-11"),
            ],
            HERS,
            RUNNING,
            id="nameless before a list of two: nobody",
        ),
    ],
)
def test_who_is_concerned(given: Story, when: Line, then: TrueReason) -> None:
    assert told(given, when).decision().reason is then


STRANGE = [
    died("2026-01-10", CARL),
    objected("2026-01-10", CARL),
    exited("2026-01-10", "SELF", clients=[CARL]),
]


@pytest.mark.parametrize("strange", STRANGE, ids=["a death", "an objection", "an exit"])
class TestNobodyRecognised:
    """It waits for the list that makes the name known, and is never silently without effect."""

    @pytest.mark.parametrize(
        ("until", "letters"),
        [
            pytest.param("2026-02-09T12:00:00Z", 0, id="thirty days"),
            pytest.param("2026-02-09T12:00:00.001Z", 1, id="no longer"),
        ],
    )
    def test_it_waits(self, strange: Story, until: str, letters: int) -> None:
        case = told(COUPLE, strange, signal(on=until))
        rule = "names no client of its trajectory within 30 days"
        assert case.letters() == [("ORPHANED_EVENT", "clients", rule)] * letters

    def test_it_takes_effect_when_he_is_listed(self, strange: Story) -> None:
        with_him = client_changed("2026-01-20", ANNA, CARL)
        case = told(COUPLE, strange, with_him, signal(on="2026-02-20", about=by_bsn(CARL)))
        assert case.decision().reason is not RUNNING
        assert case.letters() == []

    def test_it_corrects_what_was_decided_until_then(self, strange: Story) -> None:
        when = signal(on="2026-01-15", about=by_bsn(BRAM))
        mended = client_changed("2026-01-20", ANNA, {**BRAM, "bsn": CARL["bsn"]})
        case = told(COUPLE, strange, when, mended, client_changed("2026-01-21", ANNA, BRAM))
        assert case.decisions()[0].route == "COUNSELLOR_FOLLOWUP"
        assert case.decision().route == "REGULAR_FLOW"

    def test_once_refused_it_is_no_part_of_the_trajectory(self, strange: Story) -> None:
        late = client_changed("2026-03-02", ANNA, CARL)
        about = by_bsn(CARL)
        case = told(
            COUPLE,
            strange,
            signal(on="2026-03-01"),
            late,
            signal(on="2026-03-03", about=about, signal_id="S2"),
        )
        assert case.decision("S2").reason is RUNNING

    def test_it_can_be_sent_again(self, strange: Story) -> None:
        late = client_changed("2026-03-02", ANNA, CARL)
        again = [{**one, "value": {**one["value"], "event_id": "T1-2", "sequence": 2}} for one in strange]
        case = told(
            COUPLE,
            strange,
            signal(on="2026-03-01"),
            again,
            late,
            signal(on="2026-03-03", about=by_bsn(CARL), signal_id="S2"),
        )
        assert case.decision("S2").reason is not RUNNING


NAMELESS_EVENTS = [died("2026-01-10"), objected("2026-01-10")]


@pytest.mark.parametrize("nameless", NAMELESS_EVENTS, ids=["a death", "an objection"])
class TestWithoutAName:
    """A death or an objection without a name is of the only client known before it."""

    def test_not_of_who_is_listed_after_it(self, nameless: Story) -> None:
        case = told(
            running(),
            nameless,
            client_changed("2026-01-20", ANNA, BRAM),
            HIS,
            {**HERS, "value": {**HERS["value"], "signal_id": "S2"}},
        )
        assert (case.decision("S1").reason, case.decision("S2").reason in {DECEASED, OBJECTION}) == (
            RUNNING,
            True,
        )
        assert case.letters() == []

    def test_of_nobody_when_a_list_of_two_precedes_it_and_then_it_is_refused(self, nameless: Story) -> None:
        second = client_changed("2025-06-01", ANNA, BRAM, sequence=2, event_id="x", recorded="2026-01-20")
        case = told(
            running(), [{**one, "value": {**one["value"], "sequence": 3}} for one in nameless], second, HERS
        )
        assert case.decision().reason is RUNNING
        assert [letter[:2] for letter in case.letters()] == [("MISSING_FIELD", "clients")]

    def test_what_is_certain_enough_lets_go_of_its_original_after_thirty_days(self, nameless: Story) -> None:
        case = told(running(), nameless, signal(on="2026-03-01", signal_id="S0"), HERS)
        assert case.decision().reason in {DECEASED, OBJECTION}
        assert case.letters() == []
        assert case.simulation._waiting == {}


def test_an_exit_without_a_name_is_everybodys_but_of_who_died_before() -> None:
    story = [*COUPLE, *died("2026-01-10", ANNA), *exited("2026-01-20", "SELF")]
    second: dict[str, Any] = {**HIS, "value": {**HIS["value"], "signal_id": "S2"}}
    case = told(story, HERS, second)
    assert (case.decision("S1").reason, case.decision("S2").reason) == (
        DECEASED,
        TrueReason.EXIT_NOT_COMPLETED,
    )


def test_every_order_of_arrival_ends_in_the_same_answer() -> None:
    """A mended BSN, an event that names the old one, a withdrawal by the new one and a death of the other."""
    story = [
        *applied("2025-01-10", TYPO, BRAM, sequence=1, event_id="a", recorded="2026-01-02"),
        *objected("2026-01-10", TYPO, sequence=2, event_id="b", recorded="2026-01-03"),
        *client_changed("2025-02-01", ANNA, BRAM, sequence=3, event_id="c", recorded="2026-01-04"),
        *objection_withdrawn("2026-02-01", ANNA, sequence=4, event_id="d", recorded="2026-01-05"),
        *died("2026-01-10", without(BRAM, "bsn"), sequence=5, event_id="e", recorded="2026-01-06"),
    ]
    reasons = set()
    for order in permutations(story):
        second = {**HIS, "value": {**HIS["value"], "signal_id": "S2"}}
        case = told(list(order), HERS, second)
        reasons.add((case.decision("S1").reason, case.decision("S2").reason))
    assert reasons == {(RUNNING, DECEASED)}
