"""Who a task is about: the seals of its signals opened, each on record before it is.

In: a task. Out: contact details for this page and nothing else; they go nowhere but onto it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signaalwissel.console.accounting import Accounting, Done
from signaalwissel.processors.followup_tasks import Report, Task
from signaalwissel.processors.opening import Opened, Opening, Sealed
from signaalwissel.processors.processing_lines import subject_of_signal, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.processors.sealing import KeyDestroyed, KeyUnavailable, SealBroken
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.schemas.signal import SealedSubject
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.web_reads import sealed_of

SIGNALS_MAX = 5
"""The latest signals of a task tell how to reach somebody; older ones stay closed."""
Open = Callable[[Sealed, Opened], SealedSubject]


@dataclass(frozen=True)
class Contact:
    """What a signal says of its resident; `closed` says in words why it says nothing.

    `details` are pairs of a heading and a value.
    """

    signal_id: str
    partner_kind: str
    details: tuple[tuple[str, str], ...] = ()
    closed: str | None = None

    def __repr__(self) -> str:
        """Tell nothing of the resident."""
        return f"Contact({self.signal_id})"


def contacts_of(connection: Any, task: Task, opens: Open, accounting: Accounting) -> list[Contact]:
    """What the task's latest signals say, the newest first."""
    return [
        _contact(connection, task, report, opens, accounting) for report in reversed(task.held[-SIGNALS_MAX:])
    ]


def _contact(connection: Any, task: Task, report: Report, opens: Open, accounting: Accounting) -> Contact:
    row = sealed_of(connection, report.routing_id)
    if row is None:
        return Contact(
            report.signal_id, report.partner_kind, closed="De gegevens van dit signaal zijn gewist."
        )

    def opened(opening: Opening) -> None:
        accounting.account(
            Done(
                Purpose.SEALED_OPENED,
                EventKind.SEALED_OPENED,
                about=opening.routing_id,
                municipality=opening.municipality,
                trace_id=trace_from(report.ref.hex()),
                subject=subject_of_signal(report.ref),
            )
        )

    try:
        subject = opens(row, opened)
    except KeyDestroyed:
        closed = "De bewaartermijn is voorbij: deze gegevens zijn vernietigd."
    except KeyUnavailable:
        closed = "De sleutel van deze gegevens is nu niet te krijgen. Probeer het later opnieuw."
    except SealBroken:
        closed = "Deze gegevens gaan niet open. Meld dit bij uw beheerder."
    else:
        details = _details(subject, verify=task.kind is TaskKind.VERIFY_IDENTITY)
        if details:
            return Contact(report.signal_id, report.partner_kind, details)
        # A heading with nothing below it looks like a page that broke off.
        closed = "De partner stuurde alleen een burgerservicenummer. Wie dit is, vindt u bij het traject in uw eigen systeem."
    return Contact(report.signal_id, report.partner_kind, closed=closed)


def _details(sealed: SealedSubject, *, verify: bool) -> tuple[tuple[str, str], ...]:
    subject = sealed.subject
    house = f"{subject.house_number or ''}{subject.house_number_addition or ''}"
    told = [
        ("Naam", f"{subject.initials or ''} {subject.surname or ''}".strip()),
        ("Geboortedatum", "" if subject.birth_date is None else f"{subject.birth_date:%d-%m-%Y}"),
        ("Adres", f"{subject.postcode or ''} {house}".strip()),
        ("Telefoon", subject.phone or ""),
        ("E-mail", subject.email or ""),
        ("Klantnummer", sealed.customer_reference or ""),
        # Whoever calls needs no number; whoever compares two persons does.
        ("Burgerservicenummer", (subject.bsn or "") if verify else ""),
    ]
    return tuple(one for one in told if one[1])
