"""The readable side of an export: what we hold of a resident, in Dutch at B1 level (AVG 12 and 15).

In: the export as plain values. Out: a page. The machine-readable file beside it has every field; this page has what a
reader asks: which reports, what was done with them, which help, which letters, for how long.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from signaalwissel.processors.privacy_page import Block, Bullets, Grid, Heading, Page, Paragraph
from signaalwissel.processors.privacy_words import PARTNERS
from signaalwissel.schemas.followup import NoticeKind, TaskKind, TaskStatus
from signaalwissel.schemas.routing import Route
from signaalwissel.schemas.signal import PartnerKind

Plain = Mapping[str, Any]

_FIELDS = {
    "bsn": "burgerservicenummer",
    "initials": "voorletters",
    "surname": "achternaam",
    "birth_date": "geboortedatum",
    "postcode": "postcode",
    "house_number": "huisnummer",
    "house_number_addition": "toevoeging",
    "phone": "telefoon",
    "email": "e-mail",
}
_ROUTES = {
    Route.COUNSELLOR_FOLLOWUP.value: "naar uw schuldhulpverlener",
    Route.REGULAR_FLOW.value: "naar vroegsignalering",
}
_TASKS = {
    TaskKind.CONTACT_ON_RELAPSE.value: "contact met u opnemen over een melding",
    TaskKind.VERIFY_IDENTITY.value: "nagaan over wie een melding gaat",
    TaskKind.EVALUATE_PLAN.value: "uw plan bekijken",
    TaskKind.MONTHLY_CONTACT.value: "elke maand contact met u",
    TaskKind.AFTERCARE_CONTACT.value: "contact na afloop van de hulp",
    TaskKind.INFORM_RESIDENT.value: "u vertellen dat wij meldingen vergelijken",
}
_STATUSES = {
    TaskStatus.OPEN.value: "staat open",
    TaskStatus.ACCEPTED.value: "iemand is ermee bezig",
    TaskStatus.DONE.value: "klaar",
    TaskStatus.CANCELLED.value: "vervallen",
    TaskStatus.ESCALATED.value: "doorgegeven aan het team",
    TaskStatus.EXPIRED.value: "verlopen",
}
_NOTICES = {
    NoticeKind.PROCESSING_NOTICE_DUE.value: "wij moeten u vertellen dat wij meldingen vergelijken",
    NoticeKind.PROCESSING_NOTICE_GIVEN.value: "wij vertelden u dat wij meldingen vergelijken",
    NoticeKind.OBJECTION_RECORDED.value: "uw bezwaar is vastgelegd",
    NoticeKind.OBJECTION_WITHDRAWN.value: "uw bezwaar is ingetrokken",
    NoticeKind.PARTNER_FEEDBACK.value: "wij lieten de melder iets weten",
    NoticeKind.DATA_DESTROYED.value: "gegevens zijn gewist",
}
_EVENTS = {
    "APPLIED": "aangevraagd",
    "ADMITTED": "toegelaten",
    "REFUSED": "niet toegelaten",
    "PLAN_ADOPTED": "plan gemaakt",
    "STABILISATION_STARTED": "rust in uw geldzaken",
    "SETTLEMENT_STARTED": "regeling gestart",
    "SOLUTION_STARTED": "oplossing gestart",
    "SERVICE_OPENED": "extra hulp gestart",
    "SERVICE_CLOSED": "extra hulp gestopt",
    "MONITORING_STARTED": "volgen gestart",
    "MONITORING_ENDED": "volgen gestopt",
    "AFTERCARE_STARTED": "nazorg gestart",
    "AFTERCARE_ENDED": "nazorg gestopt",
    "EXITED": "hulp gestopt",
    "REOPENED": "hulp opnieuw gestart",
    "COUNSELLOR_ASSIGNED": "schuldhulpverlener gekozen",
    "CLIENT_CHANGED": "gegevens gewijzigd",
    "RESIDENT_INFORMED": "u bent geïnformeerd",
    "OBJECTION_LODGED": "bezwaar gemaakt",
    "OBJECTION_WITHDRAWN": "bezwaar ingetrokken",
    "WITHDRAWN_IN_ERROR": "was een vergissing",
    "ERASED": "gewist",
}
_CENTS = 100


def subject_page(export: Plain) -> Page:
    """The page of one export, as `subject export` writes it."""
    blocks = [
        *_about(export),
        *_identity(export),
        *_signals(export["database"]["decisions"]),
        *_trajectories(export["database"]["trajectories"]),
        *_tasks(export["database"]["tasks"]),
        *_notices(export["database"]["notices"]),
        *_objections(export["database"]["objections"]),
        *_letters(export["dead_letters"]),
        *_places(export),
        *_rights(),
    ]
    return Page("Uw gegevens bij de gemeente", tuple(blocks))


def _about(export: Plain) -> Iterable[Block]:
    yield Paragraph(
        "U vroeg welke gegevens wij van u hebben. Op deze pagina staan ze. Ze gaan over meldingen van "
        "betalingsachterstanden en over hulp bij schulden."
    )
    yield Paragraph(
        f"Gemeente {export['municipality']}, overzicht {export['request_id']}, gemaakt op {export['made_at'][:10]}."
    )
    if export["by_address_only"]:
        yield Paragraph(
            f"Bij uw adres staan ook {export['by_address_only']} meldingen zonder naam, geboortedatum of "
            "burgerservicenummer. Wij weten niet over wie die gaan. Daarom staan ze niet op deze pagina."
        )


def _identity(export: Plain) -> Iterable[Block]:
    yield Heading("Wie u bent volgens de meldingen")
    known: dict[str, set[str]] = {}
    for row in export["database"]["decisions"]:
        for field, value in ((row["subject"] or {}).get("subject") or {}).items():
            if value is not None and field in _FIELDS:
                known.setdefault(field, set()).add(str(value))
    if not known:
        yield Paragraph("In de meldingen die wij nog kunnen lezen, staan geen persoonsgegevens van u.")
        return
    rows = tuple((_FIELDS[field], ", ".join(sorted(known[field]))) for field in _FIELDS if field in known)
    yield Grid("Uw gegevens", ("Wat", "Gegeven"), rows)


def _signals(decisions: Sequence[Plain]) -> Iterable[Block]:
    yield Heading("Meldingen over u")
    if not decisions:
        yield Paragraph("Wij hebben geen meldingen over u.")
        return
    yield Paragraph("Elke regel is een besluit over een melding. Eén melding kan meer regels hebben.")
    rows = tuple(
        (
            _day(row["received_at"]),
            PARTNERS[PartnerKind(row["partner_kind"])],
            str(row["signal_id"]),
            _euro(row["arrears_cents"]),
            str(_ROUTES.get(row["route"], row["route"])),
            str(row["explanation"] or ""),
        )
        for row in decisions
    )
    columns = ("Ontvangen", "Van", "Nummer", "Achterstand", "Waarheen", "Waarom")
    yield Grid("Meldingen en wat wij ermee deden", columns, rows)


def _trajectories(trajectories: Sequence[Plain]) -> Iterable[Block]:
    yield Heading("Hulp bij schulden")
    if not trajectories:
        yield Paragraph("Wij weten van geen schuldhulptraject van u.")
    for trajectory in trajectories:
        rows = tuple(
            (_day(fact["occurred_on"]), str(_EVENTS.get(fact["kind"], fact["kind"])))
            for fact in trajectory["facts"]
        )
        yield Grid(f"Traject {trajectory['trajectory_id']}", ("Datum", "Wat er gebeurde"), rows)


def _tasks(tasks: Sequence[Plain]) -> Iterable[Block]:
    yield Heading("Taken van onze medewerkers")
    if not tasks:
        yield Paragraph("Er zijn geen taken over u.")
        return
    rows = tuple(
        (
            _day(task["opened_on"]),
            str(_TASKS.get(task["kind"], task["kind"])),
            str(_STATUSES.get(task["status"], task["status"])),
            str(task["team"]),
        )
        for task in tasks
    )
    yield Grid("Taken", ("Vanaf", "Wat", "Hoe ver", "Team"), rows)


def _notices(notices: Sequence[Plain]) -> Iterable[Block]:
    yield Heading("Berichten")
    if not notices:
        yield Paragraph("Er zijn geen berichten over u.")
        return
    rows = tuple((_day(one["occurred_on"]), str(_NOTICES.get(one["kind"], one["kind"]))) for one in notices)
    yield Grid("Berichten aan u en over u", ("Datum", "Wat"), rows)


def _objections(objections: Sequence[Plain]) -> Iterable[Block]:
    if objections:
        yield Heading("Uw bezwaar")
        yield Bullets(tuple(map(_objection, objections)))


def _objection(one: Plain) -> str:
    lodged = f"U maakte bezwaar op {_day(one['lodged_on'])}."
    withdrawn_on = one["withdrawn_on"]
    return (
        f"{lodged} Dat bezwaar geldt."
        if withdrawn_on is None
        else f"{lodged} U trok het in op {_day(withdrawn_on)}."
    )


def _letters(letters: Sequence[Plain]) -> Iterable[Block]:
    if letters:
        yield Heading("Berichten die wij niet konden verwerken")
        rows = tuple((_day(one["timestamp"]), str(one["topic"]), str(one["code"])) for one in letters)
        yield Grid("Niet verwerkt", ("Datum", "Soort", "Reden"), rows)


def _places(export: Plain) -> Iterable[Block]:
    yield Heading("Waar uw gegevens staan")
    found = [(f"database: {name}", str(len(rows))) for name, rows in export["database"].items() if rows]
    found += [(f"berichtenstroom: {name}", str(len(rows))) for name, rows in export["topics"].items() if rows]
    if found:
        yield Grid("Plaatsen", ("Plaats", "Hoeveel"), tuple(found))
    yield Paragraph(
        "Alle gegevens staan in het bestand bij deze pagina, ook die van de berichtenstromen. De stromen "
        "wissen zichzelf na 7 of 30 dagen. In onze privacyverklaring staat hoe lang wij de rest bewaren."
    )


def _rights() -> Iterable[Block]:
    yield Heading("Uw rechten")
    yield Bullets(
        (
            "Klopt iets niet? Vraag ons om het te verbeteren.",
            "U kunt ons vragen om uw gegevens te wissen.",
            "U kunt bezwaar maken tegen het vergelijken van meldingen met uw hulp.",
            "Bent u het niet met ons eens? Dan kunt u een klacht indienen bij de Autoriteit Persoonsgegevens.",
        )
    )


def _day(moment: str | None) -> str:
    year, month, day = (moment or "0-0-0")[:10].split("-")
    return f"{int(day)}-{int(month)}-{year}"


def _euro(cents: int | None) -> str:
    if cents is None:
        return ""
    return f"€ {cents // _CENTS},{cents % _CENTS:02d}"
