"""The checker of the fault runs, asked by hand-made books: each kind of wrong turns it red, and right stays green."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.books import Books, Delivery
from tests.faults.checker import (
    Verdict,
    _audited,
    _ends_right,
    _held,
    _letters,
    _routed_once,
    _Stored,
    _tasks,
)
from tests.faults.load import Expected, Load

HIT, MISS = b"h" * 16, b"m" * 16
LETTER = ("0344", "signals", "S-3")


def load() -> Load:
    signals = [{"topic": "signals", "value": {"municipality": "0344"}}] * 3
    return Load(
        lines=signals,
        municipalities=frozenset({"0344"}),
        expected={HIT: Expected("COUNSELLOR_FOLLOWUP", "T-1"), MISS: Expected("REGULAR_FLOW", None)},
        letters=Counter([LETTER]),
        ignored=0,
        events={},
        deliveries={},
        bsns=frozenset(),
        signals=3,
        refused=1,
    )


def told() -> dict[bytes, Delivery]:
    return {
        HIT: Delivery("0344", 1, [0], "COUNSELLOR_FOLLOWUP", "T-1", counsellor="T-1"),
        MISS: Delivery("0344", 1, [0], "REGULAR_FLOW", None, regular=True),
    }


def stored() -> _Stored:
    return _Stored(
        routing_ids={f"{HIT.hex()}-0", f"{MISS.hex()}-0"},
        last={HIT: (0, "COUNSELLOR_FOLLOWUP", "T-1"), MISS: (0, "REGULAR_FLOW", None)},
        on_task={HIT: "T-1"},
        letters=1,
    )


class Said:
    """What a run has said; a test spoils one thing of it."""

    def __init__(self) -> None:
        self.mine, self.stored = told(), stored()
        self.books = Books.__new__(Books)
        self.books.ids = Counter({("routing", f"{HIT.hex()}-0"): 1})
        self.books.letters = Counter([LETTER])
        self.books.tasks = {("t", 1): {(b"id-1", b"one")}, ("t", 2): {(b"id-2", b"two")}}
        self.books.task_versions = {"t": [1, 2, 1, 2]}

    def verdict(self) -> Verdict:
        verdict = Verdict()
        _routed_once(verdict, load(), self.mine, self.stored)
        _ends_right(verdict, load(), self.mine, self.stored)
        _audited(verdict, self.books, self.mine, self.stored)
        _letters(verdict, load(), self.books, self.stored, resent=False)
        _tasks(verdict, self.books)
        return verdict


def test_what_is_as_the_oracle_says_is_green() -> None:
    assert Said().verdict() == Verdict()


SPOILT: dict[str, tuple[str, Callable[[Said], object]]] = {
    "never routed": ("lost", lambda said: said.mine.pop(MISS)),
    "routed and not decided": ("lost", lambda said: said.mine[MISS].revisions.clear()),
    "never stored": ("lost", lambda said: said.stored.last.pop(HIT)),
    "no audit row": ("lost", lambda said: said.stored.routing_ids.discard(f"{HIT.hex()}-0")),
    "no dead letter": ("lost", lambda said: said.books.letters.clear()),
    "a dead letter that is not stored": ("lost", lambda said: setattr(said.stored, "letters", 0)),
    "routed twice": ("duplicated", lambda said: setattr(said.mine[HIT], "first", 2)),
    "routed and never accepted": ("duplicated", lambda said: said.mine.update({b"x" * 16: told()[MISS]})),
    "a revision twice": ("duplicated", lambda said: said.mine[HIT].revisions.append(0)),
    "a revision left out": ("duplicated", lambda said: said.mine[HIT].revisions.append(2)),
    "an audit row of nothing": ("duplicated", lambda said: said.stored.routing_ids.add("00-0")),
    "an id twice": ("duplicated", lambda said: said.books.ids.update([("routing", f"{HIT.hex()}-0")])),
    "a dead letter of nothing": (
        "duplicated",
        lambda said: said.books.letters.update([("0344", "signals", "S")]),
    ),
    "a version that says two things": (
        "duplicated",
        lambda said: said.books.tasks["t", 1].add((b"id-9", b"x")),
    ),
    "decided otherwise": (
        "wrong_state",
        lambda said: setattr(said.mine[MISS], "route", "COUNSELLOR_FOLLOWUP"),
    ),
    "another trajectory": ("wrong_state", lambda said: setattr(said.mine[HIT], "trajectory_id", "T-2")),
    "held by both": ("wrong_state", lambda said: setattr(said.mine[HIT], "regular", True)),
    "held by nobody": ("wrong_state", lambda said: setattr(said.mine[HIT], "counsellor", None)),
    "stored otherwise": ("wrong_state", lambda said: said.stored.last.update({MISS: (0, "X", None)})),
    "a hit without its task": ("wrong_state", lambda said: said.stored.on_task.clear()),
    "follow-up of a miss": ("wrong_state", lambda said: said.stored.on_task.update({MISS: "T-1"})),
    "task versions out of order": (
        "wrong_state",
        lambda said: said.books.task_versions.update({"t": [2, 1]}),
    ),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_each_kind_of_wrong_turns_it_red_and_is_counted_as_what_it_is(spoilt: str) -> None:
    kind, spoil = SPOILT[spoilt]
    said = Said()
    spoil(said)
    verdict = said.verdict()
    assert not verdict.green
    assert getattr(verdict, kind) > 0, verdict


def test_a_line_that_went_twice_may_be_refused_twice() -> None:
    said = Said()
    said.books.letters.update([LETTER])
    for resent, green in ((False, False), (True, True)):
        verdict = Verdict()
        said.stored.letters = 2
        _letters(verdict, load(), said.books, said.stored, resent=resent)
        assert verdict.green is green


def test_an_oracle_that_does_not_account_for_every_signal_is_no_judge() -> None:
    verdict = Verdict()
    _letters(verdict, replace(load(), ignored=1), Said().books, stored(), resent=False)
    assert verdict.problems == ["I8 the oracle itself does not account for every signal"]


def test_who_is_told_by_both_audiences_is_told_apart() -> None:
    assert _held(Delivery(regular=True, counsellor="T-1"))[0] == "BOTH"
