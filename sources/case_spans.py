"""Spans of a case: what lasted, as the beginnings and ends that the product's fold makes periods of.

In: spans that were told, and spans that are. Out: steps (begins or ends, and the day), or a refusal. Pure. The fold
reaches the last period only (`processors.periods`): an end replaces its end, a beginning its begin while it is open.
A period that turns out never to have been gets an end before its beginning.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.validation import check_day
from signaalwissel.schemas.imports import CaseCourse, CaseService, CaseSpan
from signaalwissel.schemas.trajectory import ExitReason, Service

Step = tuple[bool, date]
"""Whether something begins, and on which day it begins or ends."""
_DAY = timedelta(days=1)
_ENDS = frozenset({"refused_on", "exited_on"})
_DATES = (
    "applied_on",
    "admitted_on",
    "refused_on",
    "exited_on",
    "plan_on",
    "stabilisation_on",
    "settlement_on",
)


def course_of(course: CaseCourse) -> CaseCourse:
    """A course as it is compared: spans of one service that touch are one, in order."""
    joined = []
    for service in sorted({one.service for one in course.services}):
        spans = [one.span for one in course.services if one.service is service]
        joined += [CaseService(service, span) for span in _joined(spans)]
    # A refusal ends the intake; whatever exit the system adds to it says the same.
    if course.refused_on is not None:
        course = course._replace(exited_on=None, exit_reason=None)
    return course._replace(services=tuple(joined))


def check_course(course: CaseCourse, clients: int) -> None:
    """Refuse a course that contradicts itself; raises Rejected with field and rule."""
    for name in _DATES:
        day = getattr(course, name)
        if day is not None:
            check_day(day, name)
            if name in _ENDS and day < course.applied_on:
                raise _invalid(name, "must not lie before applied_on")
    _check_exit(course, clients)
    for name, span in _spans(course):
        _check_span(name, span)


def span_steps(told: CaseSpan | None, now: CaseSpan | None, never: date) -> Iterator[Step]:
    """The steps from one span to another.

    Args:
        told: What was told last.
        now: What is.
        never: The end of a span that never was.
    """
    if told == now:
        return
    if told is not None and (now is None or (told.end is not None and not _only_ends_otherwise(told, now))):
        if told.end is None:
            # An open period that has others before it ends only on a day that is not before it.
            yield False, told.begin
        yield False, never
        told = None
    if now is None:
        return
    if told is None or told.begin != now.begin:
        yield True, now.begin
    if now.end is not None and (told is None or told.end != now.end):
        yield False, now.end


def service_steps(
    told: Sequence[CaseService], now: Sequence[CaseService], never: date
) -> Iterator[tuple[Service, bool, date]]:
    """The steps from the services that were told to those that are; both as `course_of` gives them.

    Raises:
        Rejected: More than the last span of a service was rewritten: no event reaches further back.
    """
    for service in sorted({one.service for one in (*told, *now)}):
        change = _change(service, told, now)
        if len(change.before) > 1 or (change.before and change.ends_void):
            raise _invalid(
                "services", "more than the last period of a service was rewritten since the last export"
            )
        first = change.after[0] if change.after else None
        steps = list(span_steps(change.before[0] if change.before else None, first, never))
        for span in change.after[1:]:
            steps += span_steps(None, span, never)
        yield from ((service, begins, day) for begins, day in steps)


def services_told(
    told: Sequence[CaseService], now: Sequence[CaseService], never: date
) -> tuple[CaseService, ...]:
    """What has been told when the steps are: the services that are, and behind them what turned out never to be.

    A void period that came last stands between the fold and the ones before it: they cannot be reached any more.
    """
    void = CaseSpan(never + _DAY, never)
    changes = {one.service: _change(one.service, told, now) for one in (*told, *now)}
    voids = [
        CaseService(service, void)
        for service, change in sorted(changes.items())
        if not change.after and (change.before or change.ends_void)
    ]
    return (*now, *voids)


class _Change(NamedTuple):
    """What differs for one service: spans told and not any more, new ones, and whether a void one came last."""

    before: list[CaseSpan]
    after: list[CaseSpan]
    ends_void: bool


def _change(service: Service, told: Sequence[CaseService], now: Sequence[CaseService]) -> _Change:
    every = [one.span for one in told if one.service is service]
    before = [span for span in every if not _is_void(span)]
    after = [one.span for one in now if one.service is service]
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return _Change(before[same:], after[same:], bool(every) and _is_void(every[-1]))


def _is_void(span: CaseSpan) -> bool:
    return span.end is not None and span.end < span.begin


def _check_exit(course: CaseCourse, clients: int) -> None:
    if course.exited_on is not None and course.exit_reason is None:
        raise Rejected(RejectionCode.MISSING_FIELD, "exit_reason", "an exit must say why")
    if course.exited_on is None and course.exit_reason is not None:
        raise Rejected(RejectionCode.MISSING_FIELD, "exited_on", "a reason of exit must have its day")
    if course.exit_reason is ExitReason.DECEASED and clients > 1:
        raise _invalid("exit_reason", "of two clients the export must tell which one died: enter it by hand")


def _check_span(name: str, span: CaseSpan) -> None:
    check_day(span.begin, name)
    if span.end is not None:
        check_day(span.end, name)
        if span.end < span.begin:
            raise _invalid(name, "must not end before it begins")


def _only_ends_otherwise(told: CaseSpan, now: CaseSpan) -> bool:
    return told.begin == now.begin and now.end is not None


def _joined(spans: Iterable[CaseSpan]) -> list[CaseSpan]:
    """Spans in order, those that overlap or touch made one."""
    joined: list[CaseSpan] = []
    for span in sorted(spans, key=lambda one: (one.begin, one.end or date.max)):
        last = joined[-1] if joined else None
        if last is None or (last.end is not None and span.begin > last.end + _DAY):
            joined.append(span)
        elif last.end is not None and (span.end is None or span.end > last.end):
            joined[-1] = CaseSpan(last.begin, span.end)
    return joined


def _spans(course: CaseCourse) -> Iterator[tuple[str, CaseSpan]]:
    if course.monitoring is not None:
        yield "monitoring", course.monitoring
    if course.aftercare is not None:
        yield "aftercare", course.aftercare
    for one in course.services:
        yield "services", one.span


def _invalid(field: str, rule: str) -> Rejected:
    return Rejected(RejectionCode.INVALID_FIELD, field, rule)
