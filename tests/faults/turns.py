"""What the test suite runs of the matrix: one row always, the others and the defects a few at each turn.

In: a turn, the number of commits unless somebody says another. Out: rows and a defect, the same for the same turn.
"""

import os
from dataclasses import dataclass

from tests.faults.defects import DEFECTS
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
    """

    number: int
    rows: tuple[int, ...]
    defect: str


def turn_of(number: int) -> Turn:
    """The turn of a number: every row comes once in as many turns as there are."""
    return Turn(number, (ALWAYS, *TURNS[number % len(TURNS)]), list(DEFECTS)[number % len(DEFECTS)])


def this_turn() -> Turn:
    """The turn that is asked for, or else that of the commit; the first one where there is no repository."""
    return turn_of(int(os.environ.get("SIGNAALWISSEL_FAULTS_TURN") or commits()))
