"""What the notices and the calendar tasks say: legal grounds, and one Dutch sentence per step, without personal data."""

from datetime import date
from enum import StrEnum
from types import MappingProxyType

from signaalwissel.schemas.followup import NoticeKind

LEGAL_GROUNDS = MappingProxyType(
    {
        NoticeKind.PROCESSING_NOTICE_DUE: "AVG artikel 14, eerste tot en met derde lid: de inwoner binnen een maand "
        "informeren over de toets van een vroegsignaal aan zijn schuldhulptraject",
        NoticeKind.PROCESSING_NOTICE_GIVEN: "AVG artikelen 13 en 14: de inwoner is geïnformeerd",
        NoticeKind.OBJECTION_RECORDED: "AVG artikel 21, eerste lid: bezwaar tegen de toets",
        NoticeKind.OBJECTION_WITHDRAWN: "AVG artikel 21, eerste lid: het bezwaar tegen de toets is ingetrokken",
        NoticeKind.PARTNER_FEEDBACK: "AVG artikel 6, eerste lid, onder e, en Wgs artikel 3, eerste lid, onder b: "
        "terugkoppeling over een vroegsignaal aan de signaalpartner",
        NoticeKind.DATA_DESTROYED: "AVG artikel 5, eerste lid, onder e, en artikel 17: de gegevens zijn gewist",
    }
)
"""Why a notice exists. That of PARTNER_FEEDBACK fits a signal of either route: the partner must not be able to tell."""


class CalendarStep(StrEnum):
    """What happened to a calendar task, beside what `followup_texts.StepKind` tells of every task."""

    DUE_EARLIER = "DUE_EARLIER"


MONTHLY = "Volgen: neem deze maand contact op met de inwoner."
MONTHLY_AFTER_A_MISSED_MONTH = (
    "Volgen: vorige maand is er geen contact geweest. Het team neemt het contact van deze maand op zich."
)
AFTERCARE = "Nazorg: neem contact op met de inwoner om te horen hoe het gaat."
EVALUATE_PLAN = "Er is contact geweest na een terugval: evalueer het plan van aanpak met de inwoner en pas het zo nodig aan."
INFORM_AFTER_ADMISSION = (
    "De inwoner is toegelaten en nog niet geïnformeerd: vertel dat vroegsignalen tijdens en na het traject worden "
    "getoetst, hoe lang dat duurt, en dat bezwaar mogelijk is."
)
INFORM_AFTER_TEST = (
    "Een vroegsignaal is getoetst aan dit traject en de inwoner is daarover nog niet geïnformeerd: vertel dat "
    "vroegsignalen worden getoetst, hoe lang dat duurt, en dat bezwaar mogelijk is."
)

ERASED = "De taak vervalt: de gegevens van het traject zijn gewist."
WITHDRAWN = "De taak vervalt: het traject was ten onrechte geregistreerd."
NOBODY_LEFT = "De taak vervalt: er is niemand meer om te benaderen."
MONITORING_ENDED = "De taak vervalt: het volgen loopt niet meer."
COVERED_BY_RELAPSE = "De taak vervalt: het contact over een terugval is het contact van deze maand."
RELAPSE_FIRST = (
    "De taak vervalt voor nu: eerst het contact over een terugval; daarna volgt het nazorgcontact."
)
MONITORING_RESUMED = "De taak vervalt: het volgen is hervat; daarna komt er een nazorgcontact."
TRAJECTORY_REOPENED = "De taak vervalt: het traject is heropend."
NO_LONGER_TESTED = "De taak vervalt: signalen worden niet meer aan dit traject getoetst."
ALREADY_INFORMED = "De taak vervalt: de inwoner is al geïnformeerd."
INFORMED_ELSEWHERE = "De taak vervalt: de inwoner is al geïnformeerd bij een ander traject."


def due_earlier(day: date) -> str:
    """By when the resident must be informed now that a signal was tested."""
    return f"Een vroegsignaal is getoetst aan dit traject: de inwoner moet uiterlijk op {day:%d-%m-%Y} geïnformeerd zijn."
