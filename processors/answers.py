"""What a signal system is told of a signal, as far as the feedback rule allows (domain 8.17).

In: the route, what its partner was told, the policy. Out: an outcome, or None while there is none.
"""

from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import Feedback
from signaalwissel.schemas.routing import Route


def answer_of(route: Route, told: Feedback | None, policy: Policy) -> Feedback | None:
    """The outcome of a signal as it may be told today.

    Args:
        route: Where its last revision went.
        told: The feedback that its follow-up gave, None while nobody reached the resident.
        policy: The municipality's policy of today: what it told before it may not tell again when it forbids it now.
    """
    known = policy.feedback.tell_known_to_debt_help
    if told is Feedback.KNOWN_TO_DEBT_HELP and not known:
        return Feedback.TAKEN_UP
    if told is None and known and route is Route.COUNSELLOR_FOLLOWUP:
        # Not before the contact by any other policy: the answer alone would tell that there is a trajectory.
        return Feedback.KNOWN_TO_DEBT_HELP
    return told
