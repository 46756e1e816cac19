"""The terms of the DDAS exchange models: Vroegsignalering 1.2 and Schuldhulpverlening 1.0 (domain 3 and 4).

In: our enums. Out: the words of the models' code lists.
"""

from collections.abc import Mapping

from signaalwissel.schemas.followup import ContactChannel, ContactOutcome
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.schemas.trajectory import ExitReason, Service

KNOWN_TO_DEBT_HELP = "Inwoner al bekend bij schuldhulpverlening"
DECEASED = "Inwoner is overleden"

PARTNERS: Mapping[PartnerKind, str] = {
    PartnerKind.ENERGY: "Energie",
    PartnerKind.RENT: "Huur",
    PartnerKind.MORTGAGE: "Hypotheek",
    PartnerKind.HEALTH_INSURANCE: "Zorg",
    PartnerKind.WATER: "Water",
    PartnerKind.CAK_HEALTH: "CAK Zorgverzekeringen",
    PartnerKind.CAK_CONTRIBUTION: "CAK Eigen bijdrage",
    PartnerKind.DUO: "DUO",
    PartnerKind.TAX: "Belastingdienst",
    PartnerKind.BENEFITS: "Dienst Toeslagen",
    PartnerKind.OTHER: "Overige",
}

CHANNELS: Mapping[ContactChannel, str] = {
    ContactChannel.ADMINISTRATIVE: "Administratief",
    ContactChannel.APPOINTMENT: "Afspraak op locatie",
    ContactChannel.LETTER: "Brief",
    ContactChannel.HOME_VISIT: "Huisbezoek",
    ContactChannel.CARD: "Kaartje",
    ContactChannel.MAIL: "Mail",
    ContactChannel.UNKNOWN: "Onbekend",
    ContactChannel.OTHER: "Overige",
    ContactChannel.MESSAGE: "SMS/Whatsapp",
    ContactChannel.PHONE: "Telefoon",
}

RESULTS: Mapping[ContactOutcome, str] = {
    ContactOutcome.ADVICE_OR_QUICK_FIX: "(Budget)advies en/of quick fix",
    ContactOutcome.NO_CONTACT: "Definitief geen contact kunnen krijgen",
    ContactOutcome.NO_RESPONSE_AFTER_CONTACT: "Geen reactie na eerder contact",
    ContactOutcome.KNOWN_TO_DEBT_HELP: KNOWN_TO_DEBT_HELP,
    ContactOutcome.OTHER_TRAJECTORY: "Inwoner heeft al een ander lopend traject",
    ContactOutcome.PAID_OR_ARRANGED: "Inwoner heeft zelf al betaald/betalingsregeling getroffen",
    ContactOutcome.ARRANGES_ITSELF: "Inwoner hoeft geen hulp vanuit vroegsignalering",
    ContactOutcome.FOLLOW_UP_HELP: "Vervolghulp en/of verwijzing",
    ContactOutcome.FOLLOW_UP_HELP_FINANCIAL: "Vervolghulp en/of verwijzing financieel",
    ContactOutcome.FOLLOW_UP_HELP_NOT_FINANCIAL: "Vervolghulp en/of verwijzing niet financieel",
    ContactOutcome.REFERRED_WITHOUT_RESIDENT: "Verwijzing zonder contact",
    ContactOutcome.NOT_TAKEN_UP: "Niet opgepakt: andere reden",
    ContactOutcome.REPEATED_REPORT: "Niet opgepakt: herhaalde melding",
    ContactOutcome.INCORRECT_SIGNAL: "Niet opgepakt: onterecht signaal",
    ContactOutcome.DECEASED: DECEASED,
    ContactOutcome.NOT_A_RESIDENT: "Persoon is geen inwoner (meer) in de gemeente",
}

SERVICES: Mapping[Service, str] = {
    Service.BUDGET_COACHING: "Budgetcoaching",
    Service.BUDGET_MANAGEMENT: "Budgetbeheer",
    Service.PROTECTIVE_ADMINISTRATION: "Beschermingsbewind",
    Service.LONG_TERM_GUIDANCE: "Lange Termijn Begeleiding (DFD)",
    Service.BUDGET_GUIDANCE: "Budgetbegeleiding",
}

EXITS: Mapping[ExitReason, str] = {
    ExitReason.COMPLETED: "Afgerond",
    ExitReason.SELF: "Zelf",
    ExitReason.WITHDRAWN: "Ingetrokken",
    ExitReason.NO_SHOW: "Nietverschenen",
    ExitReason.NOT_SUITABLE: "Niet passend",
    ExitReason.NOT_ELIGIBLE: "Voldoet niet",
    ExitReason.MOVED: "Verhuisd",
    ExitReason.DECEASED: "Overleden",
    ExitReason.OTHER: "Overig",
}

NOT_HELD: Mapping[str, tuple[str, ...]] = {
    "signals": (
        "status of what went to the regular flow: the signal system knows it",
        "client.geslachtsaanduiding",
        "vroegsignaalzaken of the regular flow, startdatumMatchingperiode, einddatumMatchingperiode",
        "contactpersonen",
    ),
    "trajectories": (
        "client: only pseudonyms are held",
        "schulden, totaalSchuldbedragBijAanvangSchuld, vtlb",
        "oplossing.soort",
        "einddatum of aanmelding, intake, stabilisatie and oplossing; startdatum of intake",
        "schuldregeling: toegekend, afgewezen, ingetrokken, dwangakkoord, datumVerzoekDwangakkoord",
        "crisisinterventies, moratoria, voorlopigeVoorzieningen, informatieEnAdvies",
        "contactpersonen",
    ),
}
"""What the models have a field for and this product does not hold."""
