"""What the test suite runs of the matrix: one row always, the others and the defects a few at each turn.

In: a turn, the number of commits unless somebody says another. Out: rows and a defect, the same for the same turn.
"""

import os
from dataclasses import dataclass

from tests.faults.defects import DEFECTS
from tests.faults.product import STORES
from tests.turns import commits

ALWAYS = 20
TURNS: tuple[tuple[int, ...], ...] = (
    (1, 4, 11, 13),
    (3, 5, 7, 12, 15, 16),
    (6, 8, 10, 17, 22),
    (2, 9, 14, 19),
)
"""Each takes about as long as any other."""
WITHOUT_TURN = {21: "is a test of the suite by itself"}


@dataclass(frozen=True)
class Turn:
    """What one run of the suite tries.

    Attributes:
        number: Of the turn; SIGNAALWISSEL_FAULTS_TURN brings it back.
        rows: Numbers in the matrix.
        defect: Which one is planted.
        store: Where the tables lie.
    """

    number: int
    rows: tuple[int, ...]
    defect: str
    store: str


def turn_of(number: int) -> Turn:
    """The turn of a number: every row comes once in as many turns as there are, with the other store the next time."""
    rounds, place = divmod(number, len(TURNS))
    defect, store = list(DEFECTS)[number % len(DEFECTS)], STORES[rounds % len(STORES)]
    return Turn(number, (ALWAYS, *TURNS[place]), defect, store)


def this_turn() -> Turn:
    """The turn that is asked for, or else that of the commit; the first one where there is no repository."""
    return turn_of(int(os.environ.get("SIGNAALWISSEL_FAULTS_TURN") or commits()))
