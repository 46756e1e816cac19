"""What one batch of retention works on: a municipality, its policy, now; and what a step is.

Flows in: policies and the database's time. Flows out: scopes, one for each municipality of which anything is kept.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from signaalwissel.processors.followup_tasks import Moment
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.retention import DataKind, last_day_over, longest_months, period_of
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.settings import SinkSettings
from sqlalchemy import Connection, text

NOBODY = ""
"""In place of a municipality: what belongs to none, such as a dead letter in which none can be read."""

# The first days of decisions suffice, as the index of days finds them at once: the rest comes when its day is over.
_MUNICIPALITIES = text(
    """
    SELECT municipality FROM trajectories UNION SELECT municipality FROM tasks
    UNION SELECT municipality FROM notices UNION SELECT municipality FROM retention_days
    UNION SELECT coalesce(municipality, '') FROM dead_letters
    UNION SELECT municipality FROM subject_requests UNION SELECT municipality FROM erasure_ledger
    UNION SELECT municipality FROM objections
    UNION SELECT municipality FROM decisions WHERE last_day <= :over
    """
)
_NOW = text("SELECT transaction_timestamp()")
_HELD = text(
    """
    SELECT EXISTS (
        SELECT FROM retention_holds
        WHERE municipality = :municipality AND trajectory_id IS NULL AND released_at IS NULL AND until >= :today
    )
    """
)


class Scope(NamedTuple):
    """What is looked at together.

    Attributes:
        known: Whether the municipality has a policy of its own; the default stands in where not.
        own_policies: Versions of the policies that this process runs with.
        longest_months: The longest period of any policy: so long the audit trail is kept.
        began: The database's clock when the round began.
    """

    municipality: str
    policy: Policy
    known: bool
    moment: Moment
    settings: SinkSettings
    own_policies: tuple[str, ...]
    longest_months: int
    began: datetime

    @property
    def today(self) -> date:
        """Today in Amsterdam."""
        return self.moment.today

    def over(self, kind: DataKind) -> date:
        """The last day whose data of this kind is over."""
        period = period_of(kind, self.policy)
        if period is None:
            raise LookupError(f"{kind}: no policy sets its period")
        return last_day_over(self.today, period.months)

    def about(self, kind: DataKind, **more: object) -> dict[str, object]:
        """The arguments that most statements take."""
        most = self.settings.retention_batch
        about = {"municipality": self.municipality, "today": self.today, "most": most}
        return {**about, "over": self.over(kind), **more}


class Tally(NamedTuple):
    """How much there is of a kind: in all, over, and of that held."""

    kept: int = 0
    due: int = 0
    held: int = 0


class Step(NamedTuple):
    """How one kind of data goes.

    Attributes:
        choose: What is over and not held, at most a batch of it. Takes no lock.
        destroy: Destroys what was chosen, in a transaction of the caller's, tells whose it was, and gives how much.
        tally: How much there is, for a report.
        lock: Takes the locks that the kind needs, before it is chosen for good.
    """

    kind: DataKind
    choose: Callable[[Connection, Scope], Sequence[Any]]
    destroy: Callable[[Destruction, Scope, Sequence[Any]], int]
    tally: Callable[[Connection, Scope], Tally]
    lock: Callable[[Connection], None] = lambda _: None


def scopes(connection: Connection, policies: Policies, settings: SinkSettings, moment: Moment) -> list[Scope]:
    """A scope for each municipality that has a policy or data, and one for what belongs to none."""
    known = list(policies)
    loaded = [policies.default, *(policies[code] for code in known)]
    latest = max(last_day_over(moment.today, one.retention.signal.months) for one in loaded)
    own = tuple(one.version for one in loaded)
    began: datetime = connection.execute(_NOW).scalar_one()
    there = set(connection.execute(_MUNICIPALITIES, {"over": latest}).scalars())
    return [
        Scope(
            code,
            policies.get(code) or policies.default,
            code != NOBODY and policies.get(code) is not None,
            moment,
            settings,
            own,
            longest_months(loaded),
            began,
        )
        for code in sorted({NOBODY, *known, *there})
    ]


def is_held(connection: Connection, scope: Scope) -> bool:
    """Whether a hold is in force on all of a municipality."""
    about = {"municipality": scope.municipality, "today": scope.today}
    return bool(connection.execute(_HELD, about).scalar_one())


def tallied(connection: Connection, statement: Any, about: dict[str, object]) -> Tally:
    """The tally that a statement counts."""
    row = connection.execute(statement, about).one()
    return Tally(*(int(count or 0) for count in row))
