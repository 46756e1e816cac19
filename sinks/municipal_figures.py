"""What a municipality's own figures count, from the audit trail and the tasks; not to be shown as it is.

Flows in: a connection that may be one that sees somebody's municipalities only. Flows out: counts.
"""

from datetime import date
from typing import Any

from signaalwissel.processors.amsterdam import add_months, amsterdam_day
from signaalwissel.processors.municipal_figures import (
    CONTACT_DAYS,
    RELAPSE_MONTHS_MAX,
    Contact,
    ContactCount,
    Counts,
    EscalationCount,
    RelapseCount,
    SignalCount,
)
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.sinks.last_revisions import IS_LAST
from signaalwissel.sinks.timekeeping import DatabaseTime
from sqlalchemy import Connection, Engine, text

# A signal that was erased counts nowhere, and of a month whose first signals are destroyed only the partners' figure was
# kept.
_COUNTED = f"""
    FROM decisions
    WHERE municipality = :municipality AND last_day >= :since AND cause IS DISTINCT FROM 'ERASED' AND {IS_LAST}
    AND NOT EXISTS (
        SELECT FROM retained_figures AS kept
        WHERE kept.municipality = decisions.municipality
            AND kept.month = CAST(date_trunc('month', decisions.last_day) AS date)
    )
"""
_SIGNALS = text(
    f"""
    SELECT CAST(date_trunc('month', last_day) AS date) AS month, partner_kind, count(*),
        count(*) FILTER (WHERE route = 'COUNSELLOR_FOLLOWUP')
    {_COUNTED}
    GROUP BY 1, 2
    """
)
# The day of the exit is that of the end of the window, as many months back as the policy of the decision had.
_RELAPSES = text(
    f"""
    WITH firsts AS (
        SELECT DISTINCT ON (trajectory_id, client, window_ends_on)
            reference_date, window_ends_on, policy_version
        {_COUNTED}
            AND window_ends_on IS NOT NULL AND trajectory_id IS NOT NULL
            AND reason IN ('COMPLETED_WITHIN_WINDOW', 'COMPLETED_OUTSIDE_WINDOW', 'OPEN_AFTERCARE', 'OPEN_SERVICE')
            AND EXISTS (SELECT FROM policies WHERE policies.version = decisions.policy_version)
        ORDER BY trajectory_id, client, window_ends_on, reference_date
    ), days AS (
        SELECT reference_date, window_ends_on, policy_version, count(*) AS residents FROM firsts GROUP BY 1, 2, 3
    ), ages AS (
        SELECT residents, age(
            reference_date,
            window_ends_on - make_interval(months => CAST(policies.content -> 'window' ->> 'months' AS int))
        ) AS since
        FROM days JOIN policies ON policies.version = days.policy_version
    )
    SELECT least(CAST(12 * extract(year FROM since) + extract(month FROM since) AS int), :most),
        CAST(sum(residents) AS bigint)
    FROM ages WHERE since >= interval '0' GROUP BY 1
    """  # noqa: S608 a constant of this module
)
# What few tasks have is gathered first: row-level security asks for every row of a task by itself.
_TASKS = text(
    """
    SELECT CAST(date_trunc('month', opened_on) AS date) AS month, status,
        (CAST(contact.at AT TIME ZONE 'Europe/Amsterdam' AS date) - opened_on) AS days,
        coalesce(steps.escalated, false) AS escalated, coalesce(steps.offered, false) AS offered, count(*) AS tasks
    FROM tasks
    LEFT JOIN (
        SELECT task_id, min(occurred_at) AS at FROM task_updates WHERE kind = 'CONTACT_MADE' GROUP BY task_id
    ) AS contact USING (task_id)
    LEFT JOIN (
        SELECT task_id, bool_or(what = 'ESCALATED') AS escalated, bool_or(what = 'OFFERED_TO_REGULAR') AS offered
        FROM task_history WHERE what IN ('ESCALATED', 'OFFERED_TO_REGULAR') GROUP BY task_id
    ) AS steps USING (task_id)
    WHERE municipality = :municipality AND opened_on >= :since AND tasks.kind = 'CONTACT_ON_RELAPSE'
        AND status <> 'CANCELLED'
    GROUP BY 1, 2, 3, 4, 5
    """
)


def counts_of(engine: Engine, municipality: str, months: int) -> Counts:
    """What is counted of a municipality in so many months, the present one included."""
    with engine.connect() as connection:
        return municipal_counts(connection, municipality, first_month(connection, months))


def first_month(connection: Connection, months: int) -> date:
    """The first day of the first of so many months, the present one included."""
    today = amsterdam_day(DatabaseTime().now(connection)).replace(day=1)
    return add_months(today, 1 - months)


def municipal_counts(connection: Connection, municipality: str, since: date) -> Counts:
    """What is counted of a municipality since the month of a day."""
    given: dict[str, Any] = {"municipality": municipality, "since": since.replace(day=1)}
    signals = [
        SignalCount(row[0], PartnerKind(row[1]), row[2], row[3])
        for row in connection.execute(_SIGNALS, given)
    ]
    relapses = [
        RelapseCount(row[0], row[1])
        for row in connection.execute(_RELAPSES, {**given, "most": RELAPSE_MONTHS_MAX})
    ]
    contacts: dict[tuple[date, Contact], int] = {}
    tasks: dict[date, list[int]] = {}
    for row in connection.execute(_TASKS, given):
        key = (row.month, _contact(row.days))
        contacts[key] = contacts.get(key, 0) + row.tasks
        sums = tasks.setdefault(row.month, [0, 0, 0])
        sums[0] += row.tasks
        sums[1] += row.tasks if row.escalated else 0
        sums[2] += row.tasks if row.offered else 0
    return Counts(
        signals=signals,
        contacts=[ContactCount(month, contact, count) for (month, contact), count in contacts.items()],
        escalations=[EscalationCount(month, *sums) for month, sums in tasks.items()],
        relapses=relapses,
    )


def _contact(days: int | None) -> Contact:
    if days is None:
        return Contact.NOT_YET
    return next((contact for contact, last in CONTACT_DAYS.items() if days <= last), Contact.LATER)
