"""What makes one generated trajectory unlike the next. In: a draft. Out: the draft with at most one twist.

Each twist is a case of domain 8 or of the fold of lifecycle events; those for two clients need two clients.
"""

from collections.abc import Callable
from datetime import date

from signaalwissel.sources.generated_clock import days
from signaalwissel.sources.generated_drafts import Casebook, Draft, Misfiling, Step, born_on, numbered
from signaalwissel.sources.generated_records import Details

Twist = Callable[[Draft, Casebook], None]


def twist(draft: Draft, casebook: Casebook) -> None:
    """Give a draft one twist, or none; the draft has its steps already."""
    options: list[tuple[Twist, float]] = [(_plain, 0.5), *SINGLE_TWISTS]
    if len(draft.clients) == 2:
        options += COUPLE_TWISTS
    if draft.exited and draft.exit_reason and draft.exit_reason != "DECEASED":
        options += EXIT_TWISTS
    casebook.dice.weighted(options)(draft, casebook)


def _plain(draft: Draft, casebook: Casebook) -> None:
    """Leave the draft as it is."""


def _around_the_month(draft: Draft, casebook: Casebook, earliest: int, latest: int) -> date:
    """Return a day so many days from the month's first, after the application."""
    first = casebook.month.first
    return max(draft.applied + days(1), first + days(casebook.dice.between(earliest, latest)))


def _moved(draft: Draft, casebook: Casebook) -> None:
    """Move, the spouse along or not; now and then the day of the move is corrected to an earlier one."""
    dice = casebook.dice
    on = _around_the_month(draft, casebook, -150, 35)
    new = casebook.people.books[draft.municipality].take()
    for client in draft.clients[: 2 if dice.chance(0.7) else 1]:
        client.addresses.append((on, new))
    draft.add("CLIENT_CHANGED", on, draft.everybody)
    if dice.chance(0.25):
        earlier = max(draft.applied, on - days(dice.between(3, 20)))
        told_on = on + days(dice.between(2, 20))
        draft.steps.append(Step("CLIENT_CHANGED", earlier, told_on, draft.everybody))


def _moved_back(draft: Draft, casebook: Casebook) -> None:
    """Move, and some weeks later back to the first address."""
    _moved(draft, casebook)
    client = draft.clients[0]
    back = client.addresses[-1][0] + days(casebook.dice.between(10, 50))
    client.addresses.append((back, client.addresses[0][1]))
    draft.add("CLIENT_CHANGED", back, draft.everybody)


def _bsn_mended(draft: Draft, casebook: Casebook) -> None:
    """Mend a BSN that was somebody else's, or missing."""
    wrong = next(casebook.people.bsns) if casebook.dice.chance(0.7) else None
    _mended(draft, casebook, numbered(wrong))


def _birth_date_mended(draft: Draft, casebook: Casebook) -> None:
    """Mend a birth date with day and month off, or missing."""
    born = draft.clients[0].birth_date
    _mended(draft, casebook, born_on(born - days(31) if casebook.dice.chance(0.7) else None))


def _mended(draft: Draft, casebook: Casebook, misfiled: Misfiling) -> None:
    on = _around_the_month(draft, casebook, -60, 35)
    draft.mistakes[0] = (on, misfiled)
    draft.add("CLIENT_CHANGED", on, draft.everybody)


def _address_unknown(draft: Draft, casebook: Casebook) -> None:
    """Lose the address of a client: he is listed by BSN alone."""
    on = _around_the_month(draft, casebook, -60, 20)
    draft.add("CLIENT_CHANGED", on, draft.everybody)
    draft.addressless_from = on


def _objected(draft: Draft, casebook: Casebook) -> None:
    """Lodge an objection; a single client need not be listed."""
    who = (len(draft.clients) - 1,) if len(draft.clients) == 2 or casebook.dice.chance(0.5) else ()
    draft.add("OBJECTION_LODGED", _around_the_month(draft, casebook, -60, 25), who)


def _objection_withdrawn(draft: Draft, casebook: Casebook) -> None:
    """Lodge an objection and withdraw it some days or weeks later."""
    _objected(draft, casebook)
    lodged = draft.steps[-1]
    draft.add("OBJECTION_WITHDRAWN", lodged.on + days(casebook.dice.between(1, 40)), lodged.who)


def _withdrawn_in_error(draft: Draft, casebook: Casebook) -> None:
    """Withdraw the whole trajectory: it was registered in error."""
    draft.add("WITHDRAWN_IN_ERROR", _around_the_month(draft, casebook, -90, 40)).prompt = True


def _restored(draft: Draft, casebook: Casebook) -> None:
    """Withdraw the trajectory in error, and apply again under the same number."""
    _withdrawn_in_error(draft, casebook)
    withdrawn = draft.steps[-1]
    again = withdrawn.on + days(casebook.dice.between(1, 25))
    draft.steps.append(Step("APPLIED", draft.applied, again, draft.everybody, prompt=True))


def _erased(draft: Draft, casebook: Casebook) -> None:
    """Erase the trajectory."""
    draft.add("ERASED", _around_the_month(draft, casebook, -60, 40))


def _application_corrected(draft: Draft, casebook: Casebook) -> None:
    """Record the application again with another day."""
    earlier = draft.applied - days(casebook.dice.between(1, 15))
    told_on = draft.applied + days(casebook.dice.between(5, 120))
    draft.steps.append(Step("APPLIED", earlier, told_on, draft.everybody))


def _divorced(draft: Draft, casebook: Casebook) -> None:
    """Leave the second client out; he moves."""
    on = _around_the_month(draft, casebook, -200, 30)
    draft.clients[1].addresses.append((on, casebook.people.books[draft.municipality].take()))
    draft.add("CLIENT_CHANGED", on, (0,))
    if casebook.dice.chance(0.2):
        draft.add("CLIENT_CHANGED", on + days(casebook.dice.between(10, 60)), (0, 1))


def _joined(draft: Draft, casebook: Casebook) -> None:
    """Apply alone; the spouse joins later."""
    application = draft.find("APPLIED")
    if application:
        application.who = (0,)
    draft.add("CLIENT_CHANGED", _around_the_month(draft, casebook, -200, 20), (0, 1))


def _bereaved(draft: Draft, casebook: Casebook) -> None:
    """One of two clients dies; for the other the trajectory goes on."""
    who = (casebook.dice.between(0, 1),)
    draft.add("EXITED", _around_the_month(draft, casebook, -120, 25), who, Details(exit_reason="DECEASED"))


def _one_leaves(draft: Draft, casebook: Casebook) -> None:
    """One of two clients exits, the other goes on."""
    reason = casebook.dice.pick(("SELF", "NO_SHOW", "COMPLETED"))
    draft.add("EXITED", _around_the_month(draft, casebook, -200, 20), (1,), Details(exit_reason=reason))


def _died(draft: Draft, casebook: Casebook) -> None:
    """Everybody in the trajectory dies: one client, or both on one day."""
    on = _around_the_month(draft, casebook, -60, 28)
    for position in draft.everybody:
        draft.add("EXITED", on, (position,), Details(exit_reason="DECEASED"))


def _after_exit(draft: Draft, casebook: Casebook, earliest: int, latest: int) -> date:
    return (draft.exited or casebook.month.first) + days(casebook.dice.between(earliest, latest))


def _reopened(draft: Draft, casebook: Casebook) -> None:
    """Open the trajectory again."""
    draft.add("REOPENED", _after_exit(draft, casebook, 5, 150))


def _reopened_and_exited(draft: Draft, casebook: Casebook) -> None:
    """Open the trajectory again, and end it again, with the same or another reason."""
    _reopened(draft, casebook)
    on = draft.steps[-1].on + days(casebook.dice.between(10, 120))
    reason = casebook.dice.pick(("COMPLETED", "COMPLETED", "NO_SHOW"))
    draft.add("EXITED", on, details=Details(exit_reason=reason))


def _exit_corrected(draft: Draft, casebook: Casebook) -> None:
    """Correct the exit's day, its reason, or both, some weeks later."""
    dice = casebook.dice
    on = _after_exit(draft, casebook, -20, 10)
    reason = dice.pick(("COMPLETED", "COMPLETED", "SELF", "OTHER"))
    told_on = max(on, _after_exit(draft, casebook, 1, 60)) + days(1)
    draft.steps.append(Step("EXITED", on, told_on, details=Details(exit_reason=reason)))


def _first_exit_mended(draft: Draft, casebook: Casebook) -> None:
    """Correct the day of the first exit while the trajectory is open again."""
    _reopened(draft, casebook)
    told_on = draft.steps[-1].on + days(casebook.dice.between(2, 20))
    on = _after_exit(draft, casebook, -15, 3)
    draft.steps.append(Step("EXITED", on, told_on, details=Details(exit_reason="COMPLETED")))


SINGLE_TWISTS: tuple[tuple[Twist, float], ...] = (
    (_moved, 0.06), (_moved_back, 0.03), (_bsn_mended, 0.03), (_birth_date_mended, 0.03), (_address_unknown, 0.015),
    (_objected, 0.03), (_objection_withdrawn, 0.03), (_withdrawn_in_error, 0.025), (_restored, 0.025), (_erased, 0.03),
    (_application_corrected, 0.02), (_died, 0.03),
)  # fmt: skip
COUPLE_TWISTS: tuple[tuple[Twist, float], ...] = (
    (_divorced, 0.16), (_joined, 0.12), (_bereaved, 0.14), (_one_leaves, 0.08),
)  # fmt: skip
EXIT_TWISTS: tuple[tuple[Twist, float], ...] = (
    (_reopened, 0.06), (_reopened_and_exited, 0.05), (_exit_corrected, 0.06), (_first_exit_mended, 0.025),
)  # fmt: skip
