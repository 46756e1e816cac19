"""What a task's history says: the kinds of steps, and one Dutch sentence for each, without personal data.

Task systems show these sentences to counsellors. None of them names a signal, so that an erased signal leaves no
trace in the history of its task.
"""

from collections.abc import Sequence
from enum import StrEnum

from signaalwissel.schemas.followup import (
    ContactChannel,
    ContactOutcome,
    TaskEvent,
    TaskKind,
    TaskStatus,
    TaskUpdate,
    TaskUpdateKind,
)
from signaalwissel.schemas.routing import Candidate
from signaalwissel.schemas.signal import PartnerKind


class StepKind(StrEnum):
    """What happened to a task other than by a task update."""

    OPENED = "OPENED"
    REOPENED = "REOPENED"
    CANCELLED = "CANCELLED"
    VERIFIED = "VERIFIED"
    ARREARS_ADDED = "ARREARS_ADDED"
    SIGNAL_RETURNED = "SIGNAL_RETURNED"
    SIGNAL_LEFT = "SIGNAL_LEFT"
    SIGNAL_ERASED = "SIGNAL_ERASED"
    CANDIDATES_CHANGED = "CANDIDATES_CHANGED"
    COUNSELLOR_CHANGED = "COUNSELLOR_CHANGED"
    ALSO_OFFERED = "ALSO_OFFERED"
    RESIDENT_DIED = "RESIDENT_DIED"
    RESIDENT_LIVES = "RESIDENT_LIVES"
    REMINDED = "REMINDED"
    ESCALATED = "ESCALATED"
    OFFERED_TO_REGULAR = "OFFERED_TO_REGULAR"
    OVERDUE = "OVERDUE"
    EXPIRED = "EXPIRED"
    MISSED = "MISSED"


PARTNERS = {
    PartnerKind.ENERGY: "energie",
    PartnerKind.RENT: "huur",
    PartnerKind.MORTGAGE: "hypotheek",
    PartnerKind.HEALTH_INSURANCE: "zorgverzekering",
    PartnerKind.WATER: "water",
    PartnerKind.CAK_HEALTH: "CAK zorgverzekering",
    PartnerKind.CAK_CONTRIBUTION: "CAK eigen bijdrage",
    PartnerKind.DUO: "DUO",
    PartnerKind.TAX: "Belastingdienst",
    PartnerKind.BENEFITS: "Dienst Toeslagen",
    PartnerKind.OTHER: "overig",
}
CHANNELS = {
    ContactChannel.ADMINISTRATIVE: "administratief",
    ContactChannel.APPOINTMENT: "afspraak op locatie",
    ContactChannel.LETTER: "brief",
    ContactChannel.HOME_VISIT: "huisbezoek",
    ContactChannel.CARD: "kaartje",
    ContactChannel.MAIL: "e-mail",
    ContactChannel.UNKNOWN: "onbekend",
    ContactChannel.OTHER: "overige",
    ContactChannel.MESSAGE: "sms of WhatsApp",
    ContactChannel.PHONE: "telefoon",
}
OUTCOMES = {
    ContactOutcome.ADVICE_OR_QUICK_FIX: "(budget)advies of quick fix",
    ContactOutcome.NO_CONTACT: "definitief geen contact",
    ContactOutcome.NO_RESPONSE_AFTER_CONTACT: "geen reactie na eerder contact",
    ContactOutcome.KNOWN_TO_DEBT_HELP: "inwoner al bekend bij schuldhulpverlening",
    ContactOutcome.OTHER_TRAJECTORY: "al een ander lopend traject",
    ContactOutcome.PAID_OR_ARRANGED: "zelf betaald of regeling getroffen",
    ContactOutcome.ARRANGES_ITSELF: "regelt het zelf",
    ContactOutcome.FOLLOW_UP_HELP: "vervolghulp of verwijzing",
    ContactOutcome.FOLLOW_UP_HELP_FINANCIAL: "vervolghulp, financieel",
    ContactOutcome.FOLLOW_UP_HELP_NOT_FINANCIAL: "vervolghulp, niet financieel",
    ContactOutcome.REFERRED_WITHOUT_RESIDENT: "verwijzing zonder tussenkomst van de inwoner",
    ContactOutcome.NOT_TAKEN_UP: "niet opgepakt",
    ContactOutcome.REPEATED_REPORT: "herhaalde melding",
    ContactOutcome.INCORRECT_SIGNAL: "onterecht signaal",
    ContactOutcome.DECEASED: "inwoner is overleden",
    ContactOutcome.NOT_A_RESIDENT: "geen inwoner (meer) van de gemeente",
}
_UPDATES = {
    TaskUpdateKind.ACCEPTED: "De taak is opgepakt",
    TaskUpdateKind.REASSIGNED: "De taak is overgenomen",
    TaskUpdateKind.CONTACT_ATTEMPTED: "Er is geprobeerd contact te leggen",
    TaskUpdateKind.CONTACT_MADE: "Er is contact geweest met de inwoner",
    TaskUpdateKind.PLAN_EVALUATED: "Het plan van aanpak is geëvalueerd",
    TaskUpdateKind.IDENTITY_CONFIRMED: "De identiteit is bevestigd",
    TaskUpdateKind.IDENTITY_REFUTED: "Deze persoon is het niet",
    TaskUpdateKind.COMPLETED: "De taak is afgerond",
    TaskUpdateKind.REJECTED: "De taak is teruggegeven aan het team",
}

_ANSWERS = frozenset({TaskUpdateKind.IDENTITY_CONFIRMED, TaskUpdateKind.IDENTITY_REFUTED})

SIGNAL_LEFT = "Een signaal is van deze taak gehaald: door een latere wijziging hoort het elders."
REPEATS_NOTHING = (
    "Een melding die na afloop kwam, herhaalt door een latere wijziging niets van deze taak meer; zij wordt apart "
    "opgevolgd."
)
SIGNAL_LEFT_AFTER_END = "Een signaal hoort door een latere wijziging elders; de taak was al afgesloten."
CANCELLED_WITHOUT_SIGNALS = (
    "De taak vervalt: door een latere wijziging hoort geen enkel signaal meer bij dit traject."
)
CANCELLED_NOTHING_TO_VERIFY = "De taak vervalt: door een latere wijziging valt er niets meer te controleren."
SIGNAL_ERASED = "De gegevens van een signaal zijn op verzoek gewist."
CANCELLED_BY_ERASURE = "De taak vervalt: de gegevens van het signaal zijn op verzoek gewist."
VERIFIED = "De identiteit is vastgesteld."
ALSO_OFFERED = "De inwoner is niet bereikt; het signaal is ook aangeboden aan vroegsignalering."
COUNSELLOR_CHANGED = "Het traject heeft een andere schuldhulpverlener; de taak gaat mee."
TO_THE_TEAM = "Het traject heeft geen beschikbare schuldhulpverlener; de taak gaat naar het team."
RESIDENT_DIED = "De inwoner is overleden. Neem geen contact op en sluit de taak af."
RESIDENT_LIVES = "Neem toch contact op: de taak gaat over een inwoner die leeft."
SIGNAL_RETURNED = "Een signaal hoort door een latere wijziging toch bij deze taak."

_WAITING = {
    TaskKind.CONTACT_ON_RELAPSE: "er is nog geen contact met de inwoner",
    TaskKind.VERIFY_IDENTITY: "nog niemand heeft vastgesteld om wie het gaat",
    TaskKind.EVALUATE_PLAN: "het plan van aanpak is nog niet geëvalueerd",
    TaskKind.MONTHLY_CONTACT: "er is deze maand nog geen contact met de inwoner geweest",
    TaskKind.AFTERCARE_CONTACT: "er is nog geen nazorgcontact met de inwoner geweest",
    TaskKind.INFORM_RESIDENT: "de inwoner is nog niet geïnformeerd",
}


def opened(kind: PartnerKind, *, crisis: bool) -> str:
    """Why a CONTACT_ON_RELAPSE task opened."""
    return f"Terugval: neem persoonlijk contact op. {_arrears(kind, crisis=crisis)}"


def reopened(kind: PartnerKind, *, crisis: bool) -> str:
    """Why a cancelled task is needed after all."""
    return f"De taak is heropend. {_arrears(kind, crisis=crisis)}"


def arrears_added(kind: PartnerKind, *, crisis: bool) -> str:
    """Which arrears joined an open task."""
    return f"Er is een nieuwe achterstand bij gekomen. {_arrears(kind, crisis=crisis)}"


def verify(candidates: Sequence[Candidate], *, named: bool) -> str:
    """Whom to compare the resident with; TaskEvent has no field for it."""
    listed = "; ".join(f"traject {trajectory_id}, cliënt {client}" for trajectory_id, client in candidates)
    same_name = " De achternaam komt overeen." if named else ""
    return f"Controleer of de inwoner een van deze cliënten is: {listed}.{same_name}"


def clock_note(what: StepKind, kind: TaskKind, assignee: str | None) -> str:
    """What time did to a task, and why.

    Args:
        what: A step of the clock; any other is a KeyError.
        kind: The task's kind.
        assignee: Who had it; a task that goes to the team says whence.
    """
    whence = "" if assignee is None else f" van {assignee}"
    notes = {
        StepKind.REMINDED: f"Herinnering: {_WAITING[kind]}.",
        StepKind.ESCALATED: f"De taak gaat{whence} naar het team: {_WAITING[kind]}.",
        StepKind.OFFERED_TO_REGULAR: f"Een signaal gaat ook naar vroegsignalering: {_WAITING[kind]}.",
        StepKind.OVERDUE: f"De termijn is voorbij: {_WAITING[kind]}.",
        StepKind.EXPIRED: f"De taak vervalt: {_WAITING[kind]}, en het signaal kan niet meer worden omgezet.",
        StepKind.MISSED: f"De taak vervalt aan het einde van de maand: {_WAITING[kind]}.",
    }
    return notes[what]


def update_note(update: TaskUpdate) -> str:
    """What a task system or the console reported."""
    if update.assignee is not None and update.assignee != update.by:
        return f"De taak is overgedragen aan {update.assignee}."
    details = []
    if update.kind in _ANSWERS and update.trajectory_id is not None:
        client = "" if update.client is None else f", cliënt {update.client}"
        details.append(f"traject {update.trajectory_id}{client}")
    if update.channel is not None:
        details.append(CHANNELS[update.channel])
    if update.reached is not None:
        details.append("bereikt" if update.reached else "niet bereikt")
    if update.outcome is not None:
        details.append(OUTCOMES[update.outcome])
    return f"{_UPDATES[update.kind]}{': ' if details else ''}{', '.join(details)}."


def _arrears(kind: PartnerKind, *, crisis: bool) -> str:
    return f"Achterstand: {PARTNERS[kind]}{' (bedreigende situatie)' if crisis else ''}."


def cancelled_by_erasure(event: TaskEvent) -> bool:
    """Whether readers of `tasks` have been told that a task ended because its resident, or all its signals, were erased."""
    told = any(step.note == CANCELLED_BY_ERASURE for step in event.history)
    return told and event.status is TaskStatus.CANCELLED
