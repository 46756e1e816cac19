"""A second, independent reading of the rules: recorded lines in, the answers the product must give out.

It shares no code with the product. It is written for clarity: whole histories are replayed from scratch and days
are tried one by one.
"""

from tests.oracle.answers import final_outcomes, first_outcomes, history, ignored, refused, revisions
from tests.oracle.check import check
from tests.oracle.model import Outcome, Revision, SignalId

__all__ = [
    "Outcome",
    "Revision",
    "SignalId",
    "check",
    "final_outcomes",
    "first_outcomes",
    "history",
    "ignored",
    "refused",
    "revisions",
]
