"""Notices: what is due to, or was done for, a resident or a partner (domain 8.12, 8.17, 8.18).

In: decisions, tasks and what a trajectory's facts say. Out: notices with derived ids, so that the same cause never
gives two. An addressee is opaque: a partner's id, or a digest.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_decisions import erases_signal
from signaalwissel.processors.followup_notice_texts import LEGAL_GROUNDS
from signaalwissel.processors.followup_tasks import Report, Task, ref_of
from signaalwissel.processors.followup_view import TrajectoryView, contacted_on, done_on
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.followup import (
    ContactOutcome,
    Feedback,
    NoticeEvent,
    NoticeKind,
    TaskKind,
    TaskStatus,
)
from signaalwissel.schemas.routing import Decision, TrueReason

_SIZE = 16
_SEPARATOR = "\x1f"
_VERSION = 1
_NOBODY_FOUND = frozenset({TrueReason.NO_TRAJECTORY, TrueReason.DECEASED, TrueReason.ADDRESS_ONLY_MATCH})
_OUTCOMES_NOT_TAKEN_UP = frozenset(
    {
        ContactOutcome.NOT_TAKEN_UP,
        ContactOutcome.REPEATED_REPORT,
        ContactOutcome.INCORRECT_SIGNAL,
        ContactOutcome.DECEASED,
        ContactOutcome.NOT_A_RESIDENT,
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice; it never changes once made, so its version on `notices` is always 1.

    Attributes:
        notice_id: Derived from kind, municipality and cause. The sink stores an id once and drops it when it comes
            again.
        addressee: A partner's id for PARTNER_FEEDBACK, else a digest.
        occurred_on: The day of what it is about: of receipt, of the objection, of informing, of the contact.
    """

    notice_id: str
    kind: NoticeKind
    municipality: str
    addressee: str
    occurred_on: date
    due_on: date | None = None
    trajectory_id: str | None = None
    signal_id: str | None = None
    feedback: Feedback | None = None

    def event(self) -> NoticeEvent:
        """The notice as it shows on `notices`."""
        return NoticeEvent(
            notice_id=self.notice_id,
            version=_VERSION,
            kind=self.kind,
            municipality=self.municipality,
            addressee=self.addressee,
            due_on=self.due_on,
            legal_ground=LEGAL_GROUNDS[self.kind],
            trajectory_id=self.trajectory_id,
            signal_id=self.signal_id,
            feedback=self.feedback,
            occurred_on=self.occurred_on,
        )


class Found(NamedTuple):
    """A trajectory that was found for a resident: which client he is there, and the signal's day of receipt."""

    trajectory_id: str
    client: int
    day: date


def first_found(decision: Decision) -> Found | None:
    """What a decision found, where it counts as "a trajectory of that resident was found" (domain 8.18), or None.

    A hit or not, but never NO_TRAJECTORY or DECEASED, and an address-only match only once confirmed. The sink keeps
    the earliest day per (municipality, trajectory, client); a later revision takes nothing back, as the test was made.
    """
    if erases_signal(decision) or decision.reason in _NOBODY_FOUND:
        return None
    if decision.trajectory_id is None or decision.client is None:
        return None
    return Found(decision.trajectory_id, decision.client, decision.last_day)


def notices_of_decision(decision: Decision) -> tuple[Notice, ...]:
    """The notices that a decision alone leads to: DATA_DESTROYED where it says that its signal was erased.

    It names neither partner nor signal number: both would lead back to the resident.
    """
    if not erases_signal(decision):
        return ()
    ref = ref_of(decision).hex()
    return (
        Notice(
            notice_id=notice_id(NoticeKind.DATA_DESTROYED, decision.municipality, "signal", ref),
            kind=NoticeKind.DATA_DESTROYED,
            municipality=decision.municipality,
            addressee="signal-" + digest(decision.municipality, ref),
            occurred_on=amsterdam_day(decision.decided_at),
        ),
    )


def notices_of_task(before: Task | None, after: Task, policy: Policy) -> tuple[Notice, ...]:
    """PARTNER_FEEDBACK for the signals of a CONTACT_ON_RELAPSE that is done now (domain 8.17).

    A cancelled task gives none, and neither does a signal that was offered to the regular flow before anybody reached
    the resident: the regular side tells those partners. A repeated report that came after the contact is not taken up.

    Args:
        before: The task before the record that changed it; None where it is new.
        after: The task after it.
        policy: The municipality's policy.
    """
    day = done_on(after)
    if after.kind is not TaskKind.CONTACT_ON_RELAPSE or day is None:
        return ()
    told = before.held if before is not None and before.status is TaskStatus.DONE else ()
    refs = {report.ref for report in told}
    reached = contacted_on(after) is not None
    return tuple(
        _feedback_notice(after.municipality, report, _feedback(policy, after, report), day)
        for report in after.held
        if report.ref not in refs and (reached or not report.offered)
    )


def resident(municipality: str, trajectory: Trajectory, position: int) -> str:
    """The opaque id of a client: of his BSN's pseudonym where one is known, else of trajectory and position."""
    bsn = trajectory.clients[position].identity.bsn
    if bsn is None:
        return _client_id(municipality, trajectory.trajectory_id, position)
    return "resident-" + digest(municipality, "bsn", bsn.hex())


def resident_ids(municipality: str, trajectory: Trajectory, position: int) -> frozenset[str]:
    """The opaque ids of a client: the one he has, and the one he had while no BSN was known."""
    unnamed = _client_id(municipality, trajectory.trajectory_id, position)
    return frozenset({resident(municipality, trajectory, position), unnamed})


def addressees(view: TrajectoryView) -> frozenset[str]:
    """The opaque ids under which a notice to one of this trajectory's residents may have been made."""
    trajectory = None if view.erased else fold(view.trajectory_id, view.facts)
    if trajectory is None:
        return frozenset()
    positions = range(len(trajectory.clients))
    return frozenset().union(
        *(resident_ids(view.municipality, trajectory, position) for position in positions)
    )


def notice_id(kind: NoticeKind, municipality: str, *cause: str) -> str:
    """The id of a notice: its kind, the municipality and the cause."""
    return f"{kind.lower().replace('_', '-')}-{digest(municipality, kind, *cause)}"


def digest(*parts: str) -> str:
    """An opaque id of what the parts name."""
    # The unit separator keeps "a" + "bc" and "ab" + "c" apart.
    text = _SEPARATOR.join(parts)
    return hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"notice").hexdigest()


def _client_id(municipality: str, trajectory_id: str, position: int) -> str:
    return "resident-" + digest(municipality, "client", trajectory_id, str(position))


def _feedback(policy: Policy, task: Task, report: Report) -> Feedback:
    if report.late or contacted_on(task) is None or task.outcome in _OUTCOMES_NOT_TAKEN_UP:
        return Feedback.NOT_TAKEN_UP
    return Feedback.KNOWN_TO_DEBT_HELP if policy.feedback.tell_known_to_debt_help else Feedback.TAKEN_UP


def _feedback_notice(municipality: str, report: Report, feedback: Feedback, day: date) -> Notice:
    return Notice(
        notice_id=notice_id(NoticeKind.PARTNER_FEEDBACK, municipality, report.ref.hex()),
        kind=NoticeKind.PARTNER_FEEDBACK,
        municipality=municipality,
        addressee=report.partner_id,
        # What came after the contact was not known on its day.
        occurred_on=max(day, report.last_day) if report.late else day,
        signal_id=report.signal_id,
        feedback=feedback,
    )
