"""TaskUpdate, TaskEvent, NoticeEvent and PartnerFeedback: what the sink, task systems and partners tell each other."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.schemas.units import Millis


class TaskKind(StrEnum):
    """What must be done."""

    CONTACT_ON_RELAPSE = "CONTACT_ON_RELAPSE"
    VERIFY_IDENTITY = "VERIFY_IDENTITY"
    EVALUATE_PLAN = "EVALUATE_PLAN"
    MONTHLY_CONTACT = "MONTHLY_CONTACT"
    AFTERCARE_CONTACT = "AFTERCARE_CONTACT"
    INFORM_RESIDENT = "INFORM_RESIDENT"


class TaskStatus(StrEnum):
    """State of a task."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    ESCALATED = "ESCALATED"
    EXPIRED = "EXPIRED"


class TaskUpdateKind(StrEnum):
    """What a task system or the console reports."""

    ACCEPTED = "ACCEPTED"
    REASSIGNED = "REASSIGNED"
    CONTACT_ATTEMPTED = "CONTACT_ATTEMPTED"
    CONTACT_MADE = "CONTACT_MADE"
    PLAN_EVALUATED = "PLAN_EVALUATED"
    IDENTITY_CONFIRMED = "IDENTITY_CONFIRMED"
    IDENTITY_REFUTED = "IDENTITY_REFUTED"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"


class ContactChannel(StrEnum):
    """Contact kinds of DDAS (contactpogingen.soort)."""

    ADMINISTRATIVE = "ADMINISTRATIVE"
    APPOINTMENT = "APPOINTMENT"
    LETTER = "LETTER"
    HOME_VISIT = "HOME_VISIT"
    CARD = "CARD"
    MAIL = "MAIL"
    UNKNOWN = "UNKNOWN"
    OTHER = "OTHER"
    MESSAGE = "MESSAGE"
    PHONE = "PHONE"


class ContactOutcome(StrEnum):
    """End results of DDAS (resultaat of a vroegsignaalzaak)."""

    ADVICE_OR_QUICK_FIX = "ADVICE_OR_QUICK_FIX"
    NO_CONTACT = "NO_CONTACT"
    NO_RESPONSE_AFTER_CONTACT = "NO_RESPONSE_AFTER_CONTACT"
    KNOWN_TO_DEBT_HELP = "KNOWN_TO_DEBT_HELP"
    OTHER_TRAJECTORY = "OTHER_TRAJECTORY"
    PAID_OR_ARRANGED = "PAID_OR_ARRANGED"
    ARRANGES_ITSELF = "ARRANGES_ITSELF"
    FOLLOW_UP_HELP = "FOLLOW_UP_HELP"
    FOLLOW_UP_HELP_FINANCIAL = "FOLLOW_UP_HELP_FINANCIAL"
    FOLLOW_UP_HELP_NOT_FINANCIAL = "FOLLOW_UP_HELP_NOT_FINANCIAL"
    REFERRED_WITHOUT_RESIDENT = "REFERRED_WITHOUT_RESIDENT"
    NOT_TAKEN_UP = "NOT_TAKEN_UP"
    REPEATED_REPORT = "REPEATED_REPORT"
    INCORRECT_SIGNAL = "INCORRECT_SIGNAL"
    DECEASED = "DECEASED"
    NOT_A_RESIDENT = "NOT_A_RESIDENT"


class TaskUpdate(NamedTuple):
    """What a task system or the console reports about a task; `assignee` is the colleague who gets it handed over."""

    update_id: str
    task_id: str
    occurred_at: Millis
    kind: TaskUpdateKind
    trajectory_id: str | None
    client: int | None
    channel: ContactChannel | None
    reached: bool | None
    outcome: ContactOutcome | None
    by: str
    assignee: str | None = None


class TaskSignal(NamedTuple):
    """A signal that a task is about."""

    partner_id: str
    signal_id: str
    received_at: Millis
    routing_id: str
    repeated: bool


class TaskStep(NamedTuple):
    """One step in the life of a task; `note` is Dutch, without personal data."""

    at: Millis
    what: str
    by: str | None
    note: str | None


class TaskEvent(NamedTuple):
    """A follow-up task in its present state."""

    task_id: str
    version: int
    kind: TaskKind
    status: TaskStatus
    trajectory_id: str | None
    municipality: str
    assignee: str | None
    team: str
    due_on: date
    signals: tuple[TaskSignal, ...]
    history: tuple[TaskStep, ...]


class NoticeKind(StrEnum):
    """What is due to, or was done for, a resident or partner."""

    PROCESSING_NOTICE_DUE = "PROCESSING_NOTICE_DUE"
    PROCESSING_NOTICE_GIVEN = "PROCESSING_NOTICE_GIVEN"
    OBJECTION_RECORDED = "OBJECTION_RECORDED"
    OBJECTION_WITHDRAWN = "OBJECTION_WITHDRAWN"
    PARTNER_FEEDBACK = "PARTNER_FEEDBACK"
    DATA_DESTROYED = "DATA_DESTROYED"


class Feedback(StrEnum):
    """What a partner is told of his signal (domain 8.17)."""

    TAKEN_UP = "TAKEN_UP"
    NOT_TAKEN_UP = "NOT_TAKEN_UP"
    KNOWN_TO_DEBT_HELP = "KNOWN_TO_DEBT_HELP"


class NoticeEvent(NamedTuple):
    """A consent or information duty. `addressee` is an opaque id, never a person's data."""

    notice_id: str
    version: int
    kind: NoticeKind
    municipality: str
    addressee: str
    due_on: date | None
    legal_ground: str
    trajectory_id: str | None
    signal_id: str | None
    feedback: Feedback | None = None
    occurred_on: date | None = None


class PartnerFeedback(NamedTuple):
    """What a partner is told of one of his signals, on his own topic (terugkoppeling; domain 8.17)."""

    notice_id: str
    municipality: str
    partner_id: str
    signal_id: str
    feedback: Feedback
    occurred_on: date
