"""The entry in the Dutch Algoritmeregister: the fields of publication standard 1.0, from the policy.

In: the policy. Out: values by the names of the register's delivery API, in its order. Fields that are the
municipality's own judgement and that it did not fill in are missing, never guessed; those the API requires are marked.
"""

from collections.abc import Mapping

from signaalwissel.processors.policy import Policy
from signaalwissel.processors.policy_sections import RetentionPeriod
from signaalwissel.processors.policy_words import settings_in_words
from signaalwissel.processors.privacy_page import Block, Heading, Page, Paragraph
from signaalwissel.processors.privacy_words import EXITS, days, filled, months

REGISTER_NEEDS = ("organisation", "contact_email", "register_category", "register_status")
"""Keys of `privacy` for which the register has required fields."""

Value = str | list[dict[str, str]]

_LAW = "https://wetten.overheid.nl/BWBR0031331"
_SHORT = (
    "Toetst een melding van een betalingsachterstand aan schuldhulptrajecten van de gemeente en brengt haar naar de "
    "eigen schuldhulpverlener of naar de reguliere vroegsignalering."
)
_HUMAN = (
    "Mensen nemen contact op en beslissen over hulp. Het algoritme bepaalt alleen wie de melding krijgt en voor welke "
    "dag contact nodig is; het neemt geen besluit met rechtsgevolg. Staat alleen een adres vast, dan gaat een "
    "medewerker eerst na om wie het gaat. Een taak eindigt nooit als gedaan door tijd, altijd door een mens."
)
_METHODS = (
    "Vaste regels, geen zelflerend model. Personen worden vergeleken op BSN, anders op adres en geboortedatum, anders "
    "op adres, met versleutelde kenmerken (HMAC). Elke beslissing bewaart reden, versie van het beleid en oorzaak, en "
    "is met dezelfde gegevens te herhalen. Instellingen: "
)
_DATA = (
    "Meldingen van signaalpartners (persoonsgegevens om de inwoner te vinden, bedrag en begin van de achterstand, "
    "bedreigende situatie) en gebeurtenissen uit schuldhulptrajecten (aanvraag, toelating, begeleiding, nazorg, einde "
    "en reden). Kenmerken als afkomst, gezondheid, inkomen of wijk worden niet gebruikt."
)
_LABELS = {
    "name": "Naam",
    "description_short": "Korte omschrijving",
    "organization": "Organisatie",
    "status": "Status",
    "begin_date": "Begindatum",
    "contact_email": "Contactgegevens",
    "website": "Link naar publiekspagina",
    "publication_category": "Publicatiecategorie",
    "goal": "Doel en impact",
    "proportionality": "Afwegingen",
    "human_intervention": "Menselijke tussenkomst",
    "risks": "Risicobeheer",
    "lawful_basis": "Wettelijke basis",
    "lawful_basis_grouping": "Links naar wettelijke basis",
    "impacttoetsen_grouping": "Impacttoetsen",
    "source_data": "Gegevens",
    "methods_and_models": "Technische werking",
    "lang": "Taal",
    "standard_version": "Versie van de standaard",
    "source_id": "Bron-id",
    "tags": "Trefwoorden",
}


def register_entry(policy: Policy) -> Mapping[str, Value]:
    """The entry under this policy; a field that nobody filled in is not there."""
    privacy = policy.privacy
    values: dict[str, Value | None] = {
        "name": "Toets van vroegsignalen aan schuldhulptrajecten",
        "description_short": _SHORT,
        "organization": filled(privacy, "organisation"),
        "status": filled(privacy, "register_status"),
        "begin_date": privacy.register_begin,
        "contact_email": filled(privacy, "contact_email"),
        "website": privacy.website,
        "publication_category": filled(privacy, "register_category"),
        "goal": _goal(policy),
        "proportionality": _proportionality(policy),
        "human_intervention": _HUMAN,
        "risks": _risks(policy),
        "lawful_basis": (
            "Wet gemeentelijke schuldhulpverlening, artikelen 3 en 8a tot en met 8d; AVG artikel 6, eerste lid, onder e"
        ),
        "lawful_basis_grouping": [{"title": "Wet gemeentelijke schuldhulpverlening", "link": _LAW}],
        "impacttoetsen_grouping": _assessment(privacy.dpia_url),
        "source_data": _DATA,
        "methods_and_models": _METHODS + _rules(policy),
        "lang": "nld",
        "standard_version": "1.0",
        "source_id": "signaalwissel-toets-vroegsignalen",
        "tags": "vroegsignalering, schuldhulpverlening, nazorg, terugval",
    }
    return {name: value for name, value in values.items() if value is not None}


def register_page(policy: Policy) -> Page:
    """The entry for people to read before it is delivered."""
    blocks: list[Block] = []
    for name, value in register_entry(policy).items():
        shown = value if isinstance(value, str) else "; ".join(": ".join(v.values()) for v in value)
        blocks += [Heading(f"{_LABELS[name]} ({name})"), Paragraph(shown)]
    return Page("Gegevens voor het Algoritmeregister", tuple(blocks))


def _rules(policy: Policy) -> str:
    # Teams are names, and the periods stand with their reasons under the considerations.
    told = (
        f"{name} = {value}"
        for name, _, value in settings_in_words(policy)
        if not name.startswith(("teams.", "retention."))
    )
    return f"{'; '.join(told)}."


def _goal(policy: Policy) -> str:
    window = policy.window
    reasons = " ".join(EXITS[reason] for reason in window.reasons_that_count) or "Geen reden telt."
    return (
        "Wie hulp krijgt of die kort geleden afrondde, hoort bij een nieuwe achterstand snel van de eigen "
        f"schuldhulpverlener. De toets geldt tijdens het traject, tijdens nazorg en begeleiding, en tot "
        f"{months(window.months)} na afloop, als de hulp zo stopte: {reasons} Gevolg voor de inwoner: een ander team "
        f"neemt contact op, binnen {days(policy.deadlines.contact_days)}."
    )


def _proportionality(policy: Policy) -> str:
    retention = policy.retention
    return (
        "De toets is nodig om niet twee teams los van elkaar te laten handelen. Er wordt niet verder teruggekeken dan "
        f"{months(policy.window.months)}, behalve bij open nazorg of begeleiding. Gegevens over een melding blijven "
        f"{months(retention.signal.months)} ({_reason(retention.signal)}). Gegevens over een traject blijven "
        f"{months(retention.trajectory.months)} ({_reason(retention.trajectory)}), en van een ondernemer "
        f"{months(retention.trajectory_of_entrepreneur.months)} ({_reason(retention.trajectory_of_entrepreneur)}). "
        f"Wat een inwoner vroeg en wat er is gedaan, blijft {months(retention.request.months)} bekend; de lijst van "
        f"wissingen {months(retention.erasure.months)}; een bezwaar zolang het geldt, en na intrekking "
        f"{months(retention.objection.months)}."
    )


def _reason(period: RetentionPeriod) -> str:
    return period.justification.rstrip(". ")


def _risks(policy: Policy) -> str:
    told = "hoort ook" if policy.feedback.tell_known_to_debt_help else "hoort nooit"
    return (
        "Verwisseling van personen: een adres alleen is geen bewijs, een medewerker gaat het na. Ongewenste "
        f"bekendheid: de reguliere stroom ziet geen traject en een partner {told} dat iemand bekend is bij de "
        f"schuldhulp. Een gemiste melding: na {days(policy.ladder.offer_to_regular_after_days)} zonder contact krijgt "
        f"de reguliere stroom haar ook. Verouderde gegevens: tot {days(policy.corrections.period_days)} na ontvangst "
        "wordt een uitkomst hersteld. Bezwaar: de inwoner kan de toets laten stoppen."
    )


def _assessment(link: str | None) -> list[dict[str, str]] | None:
    if link is None:
        return None
    return [{"title": "Data Protection Impact Assessment (DPIA)", "link": link}]
