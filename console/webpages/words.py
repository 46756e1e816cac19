"""Dutch words for what the records hold, at the level (B1) that residents' letters have."""

from collections.abc import Mapping
from typing import Any

from signaalwissel.processors.access import Role
from signaalwissel.processors.followup_texts import CHANNELS, OUTCOMES, PARTNERS
from signaalwissel.processors.retention import DataKind
from signaalwissel.schemas.followup import Feedback, NoticeKind, TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, MatchedBy, Route, TrueReason
from signaalwissel.schemas.trajectory import ExitReason, Service, TrajectoryEventKind
from signaalwissel.sinks.dead_letters import DeadLetterStatus
from signaalwissel.sinks.followup_findings import Fault
from signaalwissel.sinks.ledger import EventKind

TASK_KINDS = {
    TaskKind.CONTACT_ON_RELAPSE: "Terugval: neem contact op",
    TaskKind.VERIFY_IDENTITY: "Controleer om wie het gaat",
    TaskKind.EVALUATE_PLAN: "Evalueer het plan van aanpak",
    TaskKind.MONTHLY_CONTACT: "Maandelijks contact",
    TaskKind.AFTERCARE_CONTACT: "Contact in de nazorg",
    TaskKind.INFORM_RESIDENT: "Informeer de inwoner",
}
TASK_REASONS = {
    TaskKind.CONTACT_ON_RELAPSE: "De inwoner heeft een traject bij ons en kreeg een nieuwe betalingsachterstand.",
    TaskKind.VERIFY_IDENTITY: "Een signaal lijkt op een bekende cliënt. Alleen een mens kan zien of het klopt.",
    TaskKind.EVALUATE_PLAN: "Het is tijd om samen te kijken of het plan nog past.",
    TaskKind.MONTHLY_CONTACT: "Zolang het traject loopt, is er elke maand contact.",
    TaskKind.AFTERCARE_CONTACT: "Het traject is klaar. In de nazorg blijft u contact houden.",
    TaskKind.INFORM_RESIDENT: "De inwoner moet weten dat wij zijn gegevens gebruiken.",
}
TASK_STATUSES = {
    TaskStatus.OPEN: "open",
    TaskStatus.ACCEPTED: "opgepakt",
    TaskStatus.ESCALATED: "bij het team",
    TaskStatus.DONE: "klaar",
    TaskStatus.CANCELLED: "vervallen",
    TaskStatus.EXPIRED: "verlopen",
}
REPORTS = {
    TaskUpdateKind.ACCEPTED: "Ik pak deze taak op",
    TaskUpdateKind.REASSIGNED: "Ik neem deze taak over",
    TaskUpdateKind.CONTACT_ATTEMPTED: "Ik probeerde contact te krijgen",
    TaskUpdateKind.CONTACT_MADE: "Ik had contact met de inwoner",
    TaskUpdateKind.PLAN_EVALUATED: "Het plan is geëvalueerd",
    TaskUpdateKind.IDENTITY_CONFIRMED: "Ja, dit is deze cliënt",
    TaskUpdateKind.IDENTITY_REFUTED: "Nee, dit is deze cliënt niet",
    TaskUpdateKind.COMPLETED: "De taak is klaar",
    TaskUpdateKind.REJECTED: "Geef de taak terug aan het team",
}
ROUTES = {
    Route.COUNSELLOR_FOLLOWUP: "naar de schuldhulpverlener",
    Route.REGULAR_FLOW: "naar vroegsignalering",
}
REASONS = {
    TrueReason.RUNNING_TRAJECTORY: "er loopt een traject",
    TrueReason.OPEN_AFTERCARE: "er loopt nazorg",
    TrueReason.OPEN_SERVICE: "er loopt een andere dienst, of wij volgen de inwoner nog",
    TrueReason.COMPLETED_WITHIN_WINDOW: "het traject is kort geleden afgerond",
    TrueReason.NO_TRAJECTORY: "er is geen traject",
    TrueReason.COMPLETED_OUTSIDE_WINDOW: "het traject is langer geleden afgerond",
    TrueReason.EXIT_NOT_COMPLETED: "het traject is niet afgerond",
    TrueReason.ADMISSION_REFUSED: "de aanvraag is afgewezen",
    TrueReason.ADDRESS_ONLY_MATCH: "alleen het adres komt overeen",
    TrueReason.OBJECTION: "de inwoner heeft bezwaar gemaakt",
    TrueReason.DECEASED: "de cliënt is overleden",
}
MATCHED_BY = {
    MatchedBy.BSN: "burgerservicenummer",
    MatchedBy.ADDRESS_AND_BIRTH_DATE: "adres en geboortedatum",
    MatchedBy.ADDRESS: "adres",
}
ACTIONS = {
    CorrectionAction.MOVED: "verplaatst",
    CorrectionAction.WITHDRAWN: "ingetrokken",
    CorrectionAction.ALSO_OFFERED: "ook aan vroegsignalering gegeven",
}
CAUSES = {
    CorrectionCause.LIFECYCLE: "het traject veranderde",
    CorrectionCause.IDENTITY: "vastgesteld is om wie het gaat",
    CorrectionCause.NOT_REACHED: "de inwoner is niet bereikt",
    CorrectionCause.ERASED: "de gegevens zijn gewist",
}
FACTS = {
    TrajectoryEventKind.APPLIED: "Aangemeld",
    TrajectoryEventKind.ADMITTED: "Toegelaten",
    TrajectoryEventKind.REFUSED: "Aanvraag afgewezen",
    TrajectoryEventKind.PLAN_ADOPTED: "Plan van aanpak vastgesteld",
    TrajectoryEventKind.STABILISATION_STARTED: "Stabilisatie begonnen",
    TrajectoryEventKind.SETTLEMENT_STARTED: "Schuldregeling begonnen",
    TrajectoryEventKind.SOLUTION_STARTED: "Oplossing begonnen",
    TrajectoryEventKind.SERVICE_OPENED: "Dienst begonnen",
    TrajectoryEventKind.SERVICE_CLOSED: "Dienst gestopt",
    TrajectoryEventKind.MONITORING_STARTED: "Volgen begonnen",
    TrajectoryEventKind.MONITORING_ENDED: "Volgen gestopt",
    TrajectoryEventKind.AFTERCARE_STARTED: "Nazorg begonnen",
    TrajectoryEventKind.AFTERCARE_ENDED: "Nazorg gestopt",
    TrajectoryEventKind.EXITED: "Uitgestroomd",
    TrajectoryEventKind.REOPENED: "Heropend",
    TrajectoryEventKind.COUNSELLOR_ASSIGNED: "Schuldhulpverlener toegewezen",
    TrajectoryEventKind.CLIENT_CHANGED: "Cliënt gewijzigd",
    TrajectoryEventKind.RESIDENT_INFORMED: "Inwoner geïnformeerd",
    TrajectoryEventKind.OBJECTION_LODGED: "Bezwaar gemaakt",
    TrajectoryEventKind.OBJECTION_WITHDRAWN: "Bezwaar ingetrokken",
    TrajectoryEventKind.WITHDRAWN_IN_ERROR: "Melding ingetrokken: was een vergissing",
    TrajectoryEventKind.ERASED: "Gewist",
}
EXITS = {
    ExitReason.COMPLETED: "afgerond",
    ExitReason.SELF: "lost het zelf op",
    ExitReason.WITHDRAWN: "teruggetrokken",
    ExitReason.NO_SHOW: "niet verschenen",
    ExitReason.NOT_SUITABLE: "hulp past niet",
    ExitReason.NOT_ELIGIBLE: "geen recht op hulp",
    ExitReason.MOVED: "verhuisd",
    ExitReason.DECEASED: "overleden",
    ExitReason.OTHER: "anders",
}
SERVICES = {
    Service.BUDGET_COACHING: "budgetcoaching",
    Service.BUDGET_MANAGEMENT: "budgetbeheer",
    Service.PROTECTIVE_ADMINISTRATION: "beschermingsbewind",
    Service.LONG_TERM_GUIDANCE: "duurzame financiële dienstverlening",
    Service.BUDGET_GUIDANCE: "budgetbegeleiding",
}
FAULTS = {
    Fault.NO_TASK: "Een hit heeft geen taak",
    Fault.ENDED_IN_SILENCE: "De taak van een hit eindigde zonder contact",
    Fault.NO_OWNER: "Een taak heeft geen eigenaar",
    Fault.NO_NEXT_DAY: "Een taak heeft geen volgende dag",
}
LOOKS = {
    EventKind.RECORD_CONSULTED: "bekeken",
    EventKind.SEALED_OPENED: "persoonsgegevens geopend",
    EventKind.DATA_EXPORTED: "gegevens verstrekt aan de inwoner",
    EventKind.DATA_ERASED: "gegevens gewist",
}
NOTICES = {
    NoticeKind.PROCESSING_NOTICE_DUE: "De inwoner moet worden geïnformeerd",
    NoticeKind.PROCESSING_NOTICE_GIVEN: "De inwoner is geïnformeerd",
    NoticeKind.OBJECTION_RECORDED: "Bezwaar vastgelegd",
    NoticeKind.OBJECTION_WITHDRAWN: "Bezwaar ingetrokken",
    NoticeKind.PARTNER_FEEDBACK: "Terugkoppeling aan de partner",
    NoticeKind.DATA_DESTROYED: "De gegevens zijn vernietigd",
}
FEEDBACK = {
    Feedback.TAKEN_UP: "opgepakt",
    Feedback.NOT_TAKEN_UP: "niet opgepakt",
    Feedback.KNOWN_TO_DEBT_HELP: "al bekend bij schuldhulp",
}
LETTER_STATUSES = {
    DeadLetterStatus.OPEN: "open",
    DeadLetterStatus.REPLAYED: "opnieuw aangeboden",
    DeadLetterStatus.PARKED: "opzij gelegd",
}
DATA = {
    DataKind.TRAJECTORY: "Trajecten",
    DataKind.TRAJECTORY_OF_ENTREPRENEUR: "Trajecten van ondernemers",
    DataKind.SIGNAL: "Signalen",
    DataKind.TASK_SIGNAL: "Signalen bij taken",
    DataKind.VERIFICATION: "Controles om wie het gaat",
    DataKind.FEEDBACK: "Terugkoppelingen aan partners",
    DataKind.COMMAND: "Opdrachten aan het toetsen",
    DataKind.DEAD_LETTER: "Vastgelopen berichten",
    DataKind.DAY_KEY: "Dagsleutels",
    DataKind.OUTBOX: "Verzonden berichten",
    DataKind.POLICY: "Oud beleid",
    DataKind.TOMBSTONE: "Bewijzen van wissen",
    DataKind.AUDIT_EVENT: "Handelingen",
    DataKind.AUDIT_BLOCK: "Blokken van de audittrail",
    DataKind.PROCESSING_LOG: "Regels van het verwerkingenlog",
}
STAGES = {"intake": "bij binnenkomst", "matcher": "bij het toetsen", "sink": "bij het opslaan"}
ROLES = {
    Role.INTEGRATOR: "systeem",
    Role.SIGNAL_SYSTEM: "vroegsignaleringssysteem",
    Role.COUNSELLOR: "schuldhulpverlener",
    Role.TEAM_LEAD: "teamleider",
    Role.PRIVACY_OFFICER: "privacy officer",
    Role.OPERATOR: "beheerder",
}

_ALL: Mapping[str, Mapping[Any, str]] = {
    "kind": TASK_KINDS,
    "why": TASK_REASONS,
    "status": TASK_STATUSES,
    "report": REPORTS,
    "route": ROUTES,
    "reason": REASONS,
    "matched_by": MATCHED_BY,
    "action": ACTIONS,
    "cause": CAUSES,
    "fault": FAULTS,
    "look": LOOKS,
    "notice": NOTICES,
    "feedback": FEEDBACK,
    "letter": LETTER_STATUSES,
    "stage": STAGES,
    "data": DATA,
    "partner": PARTNERS,
    "channel": CHANNELS,
    "outcome": OUTCOMES,
    "role": ROLES,
}


def word(value: str, kind: str) -> str:
    """The Dutch of a value; what has none shows as it is, so that a page never fails on a newer record."""
    return {str(one): text for one, text in _ALL[kind].items()}.get(str(value), str(value))
