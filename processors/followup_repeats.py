"""When a report is a repeated one (domain 8.14): same partner, same arrears, amount not higher, within the period.

In: two reports and the policy. Out: yes or no.
"""

from collections.abc import Iterable

from signaalwissel.processors.followup_tasks import Report, Task
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskStatus


def repeats(report: Report, earlier: Report, policy: Policy) -> bool:
    """Whether `report` says again what `earlier` said.

    The arrears are the same when they began on the same day; where one of the two does not say when, the partner
    alone tells. Those of the other client of a trajectory are others: an insurer reports each partner of a couple.
    """
    same_partner = (report.partner_id, report.partner_kind) == (earlier.partner_id, earlier.partner_kind)
    same_arrears = None in {report.arrears_since, earlier.arrears_since} or (
        report.arrears_since == earlier.arrears_since
    )
    same_client = None in {report.client, earlier.client} or report.client == earlier.client
    # Reports may come in another order than they were received in.
    apart = abs((report.last_day - earlier.last_day).days)
    not_higher = report.arrears <= earlier.arrears
    same = same_partner and same_arrears and same_client
    return same and not_higher and apart <= policy.repeats.period_days


def repeats_any(report: Report, earlier: Iterable[Report], policy: Policy) -> bool:
    """Whether `report` says again what one of the `earlier` ones, itself left out, said."""
    return any(other.ref != report.ref and repeats(report, other, policy) for other in earlier)


def recounted(reports: Iterable[Report], policy: Policy) -> tuple[Report, ...]:
    """The reports of a task, each marked as repeated where one before it that has not left said the same.

    When the first of several leaves, the next one is what the task is about. One that came late stays what it is.
    """
    counted: list[Report] = []
    for report in reports:
        if report.late:
            counted.append(report)
            continue
        before = [other for other in counted if not other.left]
        counted.append(report._replace(repeated=not report.left and repeats_any(report, before, policy)))
    return tuple(counted)


def outlived(task: Task, policy: Policy) -> tuple[Report, ...]:
    """The reports that came late to a task that is done and say nothing again that it was about.

    What they repeated was corrected away, so there was no contact about them.
    """
    if task.status is not TaskStatus.DONE:
        return ()
    return tuple(r for r in task.held if r.late and not repeats_any(r, task.attended, policy))
