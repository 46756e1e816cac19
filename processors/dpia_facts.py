"""The DPIA facts sheet: which data, where, how long, who; for the privacy officer who assesses the risks.

In: the policy and the catalogue. Out: a page for people, and a line per field for spreadsheets and programs. It holds
facts about the product and the policy; the judgement of a DPIA is the municipality's.
"""

from collections.abc import Iterator, Mapping

from signaalwissel.processors.policy import Policy
from signaalwissel.processors.policy_words import settings_in_words
from signaalwissel.processors.privacy_natures import Nature
from signaalwissel.processors.privacy_page import Block, Bullets, Grid, Heading, Page, Paragraph
from signaalwissel.processors.privacy_stores import DATABASE, FIELDS, STATES, TOPICS, Store, facts, kept
from signaalwissel.processors.privacy_tables import TABLES
from signaalwissel.processors.privacy_words import filled

DPIA_NEEDS = ("organisation", "officer_email")
"""Keys of `privacy` without which the sheet is not complete."""

FACT_COLUMNS = ("record", "field", "nature", "personal", "store", "kept", "writers", "readers")
"""Names of a line of `dpia_lines`."""

_MEASURES = (
    (
        "BSN, naam, geboortedatum, adres, telefoon en e-mail staan alleen leesbaar op signals en trajectories en in het "
        "geheugen van intake."
    ),
    "Daarna werkt alles met sleutels: HMAC-SHA256 met een geheim per gemeente. Een sleutel blijft een persoonsgegeven.",
    (
        "Wie moet bellen of nagaan, krijgt de gegevens versleuteld: AES-256-GCM, met een sleutel per gemeente en dag van "
        "ontvangst."
    ),
    "Zonder de dagsleutel is elke kopie van die dag onleesbaar, ook in een back-up.",
    "Berichten die niet te verwerken zijn, staan versleuteld apart; logs en foutmeldingen noemen nooit de inhoud.",
    "De reguliere stroom krijgt nooit een traject, een schuldhulpverlener of een reden die een traject verraadt.",
    "Gemeenten zijn gescheiden: een melding wordt alleen getoetst aan trajecten van dezelfde gemeente.",
    "Elke beslissing en elke herziening staat met reden, beleidsversie en oorzaak in de tabel decisions.",
    (
        "Wat over zijn termijn is, wordt vanzelf vernietigd: rijen, trajecten bij intake en matcher, en de dagsleutel. De "
        "tabel retention_proofs bewijst hoeveel en wanneer, zonder persoonsgegevens. Intake onthoudt van een vernietigd traject "
        "alleen het nummer, zodat een laat bericht het niet terugbrengt."
    ),
    (
        "Van vernietigde meldingen blijft per maand en partner een aantal; een aantal onder figures.suppress_below wordt "
        "niet bewaard."
    ),
    "Wie vernietiging tegenhoudt (retention hold), geeft een reden en een einddatum.",
    (
        "Een toets vooraf (/v1/toetsen, check) staat uit tot iemand hem aanzet. Hij zegt alleen welke kant een melding op "
        "zou gaan, bewaart niets van de vraag, en legt eerst vast wie hem stelde. Een signaalpartner mag niet toetsen."
    ),
    (
        "Op de webpagina's en door de gateway leest een rol zonder eigen rechten: de database toont alleen rijen van de eigen "
        "gemeente. Elke inzage in een dossier staat vooraf in de verwerkingslog en het auditspoor."
    ),
)

_FILES = (
    (
        "exports van bronsystemen (import)",
        "alles wat het bronsysteem over inwoners geeft, leesbaar",
        "tot de gemeente ze weghaalt; ook uit done en quarantine",
        "het bronsysteem",
        "import",
    ),
    (
        "<bestand>.rejects.csv",
        "rij, kolom en regel, nooit de waarde",
        "tot de gemeente ze weghaalt",
        "import",
        "een beheerder",
    ),
    (
        "antwoordbestand (export)",
        "nummer van de melding en de uitkomst",
        "tot de gemeente het weghaalt",
        "een beheerder via export",
        "het bronsysteem",
    ),
    (
        "terugkoppelbestand in de map van een partner",
        "nummer van de melding en één woord",
        "tot de partner of de gemeente het weghaalt",
        "sink",
        "de signaalpartner",
    ),
    (
        "inzage voor een inwoner (subject export)",
        "alles over die inwoner, leesbaar",
        "tot het is gegeven; daarna weghalen",
        "een privacy-medewerker via subject",
        "de inwoner",
    ),
    (
        "het wisregister (ERASURE_LEDGER)",
        "gehashte nummers van wat is gewist",
        "langer dan elke back-up",
        "subject erase",
        "subject ledger, na het terugzetten van een back-up",
    ),
    (
        "sleutels (KEY_DIR), zonder sleutelkluis",
        "geheimen, geen gegevens",
        "de sleutel van een dag tot zijn vernietiging",
        "keys",
        "worker, sink, webpagina's",
    ),
)


def dpia_page(policy: Policy) -> Page:
    """The sheet under this policy."""
    return Page(
        "Feitenblad voor de DPIA: toets van vroegsignalen aan schuldhulptrajecten",
        (
            *_subject(policy),
            Heading("Waar staat wat, hoe lang, en wie schrijft en leest?"),
            _places("Kafka-topics", TOPICS, policy),
            _places("Toestand van intake en matcher, met een changelog-topic per tabel", STATES, policy),
            _places("Tabellen in PostgreSQL", DATABASE, policy),
            Grid("Bestanden daarbuiten", ("bestand", "wat", "hoe lang", "schrijft", "leest"), _FILES),
            Heading("Welke gegevens?"),
            _fields("Velden per soort record", FIELDS),
            _fields("Kolommen per tabel in PostgreSQL", TABLES),
            Heading("Welke keuzes maakt het beleid?"),
            Grid(
                "Instellingen van het beleid",
                ("instelling", "betekenis", "waarde"),
                tuple(settings_in_words(policy)),
            ),
            Heading("Welke maatregelen zitten in het ontwerp?"),
            Bullets(_MEASURES),
            *_limits(policy),
        ),
    )


def dpia_lines(policy: Policy) -> Iterator[dict[str, str | bool]]:
    """A line per field and store, for spreadsheets and programs; keys are `FACT_COLUMNS`."""
    for fact in facts(policy):
        cells = (
            fact.record,
            fact.field,
            fact.nature.value,
            fact.nature.personal,
            fact.store,
            fact.kept,
            fact.writers,
            fact.readers,
        )
        yield dict(zip(FACT_COLUMNS, cells, strict=True))


def _subject(policy: Policy) -> Iterator[Block]:
    yield Paragraph(
        f"Verwerkingsverantwoordelijke: {filled(policy.privacy, 'organisation')}. Functionaris gegevensbescherming: "
        f"{filled(policy.privacy, 'officer_email')}. Versie van het beleid: {policy.version}."
    )
    yield Heading("Doel, grondslag en betrokkenen")
    yield Bullets(
        (
            (
                "Doel: een vroegsignaal naar de schuldhulpverlener brengen die de inwoner helpt of hielp, anders naar de "
                "reguliere vroegsignalering."
            ),
            (
                "Grondslag: taak van algemeen belang, AVG artikel 6, eerste lid, onder e; Wet gemeentelijke "
                "schuldhulpverlening, artikelen 3 en 8a tot en met 8d."
            ),
            "BSN: Wet gemeentelijke schuldhulpverlening, artikel 8c.",
            (
                "Verdere verwerking: trajectgegevens worden ook voor de toets gebruikt; doel verenigbaar met het "
                "oorspronkelijke doel."
            ),
            "Betrokkenen: inwoners over wie een melding komt, inwoners met een traject, schuldhulpverleners.",
            "Geen geautomatiseerd besluit met rechtsgevolg: de uitkomst is wie contact opneemt; mensen beslissen.",
        )
    )


def _places(caption: str, stores: tuple[Store, ...], policy: Policy) -> Grid:
    rows = (
        (
            store.name,
            ", ".join(store.records) or "zie kolommen",
            kept(store.term, policy),
            store.writers,
            store.readers,
        )
        for store in stores
    )
    return Grid(caption, ("plaats", "inhoud", "hoe lang", "schrijft", "leest"), tuple(rows))


def _fields(caption: str, content: Mapping[str, Mapping[Nature, str]]) -> Grid:
    rows = (
        (name, nature.value, ", ".join(fields.split()))
        for name, by_nature in content.items()
        for nature, fields in by_nature.items()
    )
    return Grid(caption, ("waarin", "aard", "velden"), tuple(rows))


def _limits(policy: Policy) -> Iterator[Block]:
    yield Heading("Wat dit blad niet zegt")
    yield Bullets(
        (
            "Het blad noemt de termijnen van het beleid. Of op tijd is vernietigd, toont retention report.",
            "Kafka verwijdert hele segmenten: een record kan iets langer op een topic staan dan de termijn.",
            "Back-ups, toegang van beheerders en de systemen die de topics lezen, zijn van de gemeente.",
            "De weging van risico's en de beslissing om te verwerken zijn van de gemeente.",
            f"Cijfers met minder dan {policy.figures.suppress_below} signalen worden niet getoond.",
        )
    )
