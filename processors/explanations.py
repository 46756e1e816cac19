"""The sentence that a reader gets with a routing: Dutch, one sentence, no personal data (design 2).

The regular flow reads the same sentence whatever the true reason is: it must not tell that there was a trajectory.
"""

from typing import Final

from signaalwissel.schemas.routing import Reason, TrueReason

NO_HIT: Final = "Het signaal volgt de reguliere vroegsignalering."

_TRUE: Final = {
    TrueReason.RUNNING_TRAJECTORY: "De inwoner heeft een lopend schuldhulptraject: de schuldhulpverlener neemt"
    " persoonlijk contact op.",
    TrueReason.OPEN_AFTERCARE: "De inwoner krijgt nazorg na een schuldhulptraject: de schuldhulpverlener neemt"
    " persoonlijk contact op.",
    TrueReason.OPEN_SERVICE: "De inwoner heeft nog begeleiding of wordt gevolgd na een schuldhulptraject: de"
    " schuldhulpverlener neemt persoonlijk contact op.",
    TrueReason.COMPLETED_WITHIN_WINDOW: "De inwoner rondde in de afgelopen maanden een schuldhulptraject af: de"
    " schuldhulpverlener neemt persoonlijk contact op.",
    TrueReason.NO_TRAJECTORY: "Bij dit signaal is geen schuldhulptraject gevonden.",
    TrueReason.COMPLETED_OUTSIDE_WINDOW: "Het schuldhulptraject is langer geleden afgerond dan de termijn waarin de"
    " schuldhulpverlener contact opneemt.",
    TrueReason.EXIT_NOT_COMPLETED: "Het schuldhulptraject is beëindigd zonder dat het is afgerond.",
    TrueReason.ADMISSION_REFUSED: "De aanvraag voor schuldhulp is afgewezen.",
    TrueReason.ADDRESS_ONLY_MATCH: "Op dit adres is een schuldhulptraject bekend, maar niet vast staat dat het om"
    " dezelfde inwoner gaat: het team gaat dat na.",
    TrueReason.OBJECTION: "De inwoner heeft bezwaar gemaakt tegen de toets op schuldhulptrajecten.",
    TrueReason.DECEASED: "De inwoner is overleden: er wordt geen contact opgenomen.",
}
_SAID_TO_REGULAR: Final = (Reason.NO_HIT, NO_HIT)


def explain(reason: TrueReason) -> str:
    """The sentence of a true reason: for the counsellor and the audit trail."""
    return _TRUE[reason]


def regular_reason() -> tuple[Reason, str]:
    """Reason and sentence for the regular side, the same for every signal."""
    return _SAID_TO_REGULAR
