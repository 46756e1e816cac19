"""Words of the privacy texts: periods, exit reasons and partners in plain Dutch, and what a municipality left open.

In: numbers and enums of the policy. Out: words for residents.
"""

from signaalwissel.processors.policy_sections import Privacy
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.schemas.trajectory import ExitReason

_MONTHS = 12

PARTNERS: dict[PartnerKind, str] = {
    PartnerKind.ENERGY: "uw energiebedrijf",
    PartnerKind.RENT: "uw verhuurder",
    PartnerKind.MORTGAGE: "de bank van uw hypotheek",
    PartnerKind.HEALTH_INSURANCE: "uw zorgverzekeraar",
    PartnerKind.WATER: "uw waterbedrijf",
    PartnerKind.CAK_HEALTH: "het CAK, over uw zorgverzekering",
    PartnerKind.CAK_CONTRIBUTION: "het CAK, over uw eigen bijdrage",
    PartnerKind.DUO: "DUO",
    PartnerKind.TAX: "de Belastingdienst",
    PartnerKind.BENEFITS: "Dienst Toeslagen",
    PartnerKind.OTHER: "andere organisaties die van de wet mogen melden",
}
"""Who may report, as a resident knows them."""

EXITS: dict[ExitReason, str] = {
    ExitReason.COMPLETED: "U hebt de hulp afgerond.",
    ExitReason.SELF: "U hebt de schulden zelf opgelost.",
    ExitReason.WITHDRAWN: "U hebt uw aanvraag ingetrokken.",
    ExitReason.NO_SHOW: "U kwam niet op afspraken.",
    ExitReason.NOT_SUITABLE: "De hulp paste niet bij u.",
    ExitReason.NOT_ELIGIBLE: "U voldeed niet aan de regels voor de hulp.",
    ExitReason.MOVED: "U bent verhuisd.",
    ExitReason.DECEASED: "De inwoner is overleden.",
    ExitReason.OTHER: "De hulp stopte om een andere reden.",
}
"""Why help ended, as a sentence to the resident."""


def months(count: int) -> str:
    """A period of months; whole years as years."""
    if count % _MONTHS == 0:
        return f"{count // _MONTHS} jaar"
    return "1 maand" if count == 1 else f"{count} maanden"


def days(count: int) -> str:
    """A period of days."""
    return "1 dag" if count == 1 else f"{count} dagen"


def working_days(count: int) -> str:
    """A period of working days."""
    return "1 werkdag" if count == 1 else f"{count} werkdagen"


def missing(privacy: Privacy, needed: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that a text needs and the policy does not have, like `privacy.website`."""
    return tuple(f"privacy.{key}" for key in needed if getattr(privacy, key) is None)


def filled(privacy: Privacy, key: str) -> str:
    """What the policy says for `key`, or a mark that nobody takes for an answer."""
    value = getattr(privacy, key)
    return f"[NOG INVULLEN: privacy.{key}]" if value is None else str(value)
