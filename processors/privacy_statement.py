"""The privacy statement of a municipality: what happens with a resident's data, in Dutch at level B1 (design 7).

In: the policy. Out: a page in short sentences, for residents. Every number in it comes from the policy, but for the
month in which the law has a request answered (AVG 12(3)). What a municipality did not fill in stays marked.
"""

from collections.abc import Iterator

from signaalwissel.processors.policy import Policy
from signaalwissel.processors.privacy_duration import after_completion, how_long, when_reported
from signaalwissel.processors.privacy_page import Block, Bullets, Heading, Page, Paragraph
from signaalwissel.processors.privacy_words import PARTNERS, days, filled, months

STATEMENT_NEEDS = ("organisation", "website", "contact_email", "contact_phone", "officer_email")
"""Keys of `privacy` without which no statement is complete."""

_DATA = (
    "uw burgerservicenummer (BSN)",
    "uw naam, adres en geboortedatum",
    "uw telefoonnummer en e-mailadres, als wij die kregen",
    "uw klantnummer bij het bedrijf dat u meldt",
    "hoeveel u niet hebt betaald, en vanaf wanneer",
    "welk bedrijf u meldt, en wanneer",
    "of u dreigt uw huis, energie, water of zorgverzekering te verliezen",
    "of u hulp bij schulden krijgt of kreeg",
    "wanneer die hulp begon en stopte, en waarom zij stopte",
    "of u een eigen bedrijf hebt",
    "wie u helpt of hielp",
    "wanneer wij contact met u zochten, en hoe dat ging",
)


def privacy_statement(policy: Policy) -> Page:
    """The statement under this policy."""
    return Page(
        "Privacyverklaring: hulp bij schulden en vroege meldingen",
        (
            *_why(policy),
            *_what(),
            *_who(policy),
            *how_long(),
            *after_completion(policy),
            *when_reported(policy),
            *_kept(policy),
            *_people_decide(),
            *_informed(policy),
            *_rights(),
            *_contact(policy),
        ),
    )


def _why(policy: Policy) -> Iterator[Block]:
    yield Paragraph(
        f"Dit is een privacyverklaring van {filled(policy.privacy, 'organisation')}. U leest hier wat wij met uw "
        "gegevens doen als u hulp bij schulden krijgt of kreeg. U leest ook wat wij doen als een bedrijf meldt dat u "
        "niet betaalt."
    )
    yield Heading("Waarom gebruiken wij uw gegevens?")
    yield Paragraph(
        "Wij willen mensen met schulden op tijd helpen. Bedrijven melden ons dat iemand een rekening niet betaalt. "
        "Zo'n melding heet een vroegsignaal."
    )
    yield Paragraph(
        "Wij toetsen elke melding. Dat betekent: wij kijken of u hulp bij schulden krijgt, of kort geleden kreeg. "
        "Is dat zo? Dan neemt uw eigen schuldhulpverlener contact met u op. Is dat niet zo? Dan gaat de melding naar "
        "het gewone team voor meldingen."
    )
    yield Paragraph(
        "Dit is onze taak volgens de Wet gemeentelijke schuldhulpverlening. De privacywet (AVG) staat dit toe in "
        "artikel 6, lid 1, onder e. Wij hoeven u daarom niet om toestemming te vragen."
    )
    yield Paragraph(
        "Wij gebruiken gegevens uit uw hulp bij schulden ook voor de toets. Dat past bij het doel waarvoor wij ze "
        "kregen: u helpen met uw schulden."
    )


def _what() -> Iterator[Block]:
    yield Heading("Welke gegevens gebruiken wij?")
    yield Bullets(_DATA)
    yield Heading("Van wie krijgen wij uw gegevens?")
    yield Paragraph("Een melding kan komen van:")
    yield Bullets(tuple(PARTNERS.values()))
    yield Paragraph("De gegevens over uw hulp bij schulden komen van het team dat u helpt of hielp.")


def _who(policy: Policy) -> Iterator[Block]:
    yield Heading("Wie ziet uw gegevens?")
    yield Paragraph(
        "Uw schuldhulpverlener en zijn team zien uw gegevens als zij u moeten helpen. Het gewone team ziet alleen de "
        "meldingen die het zelf krijgt. In zo'n melding staat niet dat u hulp krijgt of kreeg. Een andere gemeente "
        "ziet niets."
    )
    if policy.feedback.tell_known_to_debt_help:
        yield Paragraph(
            "Het bedrijf dat u meldt, hoort of wij iets met de melding doen. Wij mogen ook zeggen dat wij u al kennen "
            "van hulp bij schulden."
        )
    else:
        yield Paragraph(
            "Het bedrijf dat u meldt, hoort alleen of wij iets met de melding doen. Wij zeggen niet dat u hulp krijgt "
            "of kreeg."
        )


def _kept(policy: Policy) -> Iterator[Block]:
    retention = policy.retention
    kinds = (
        ("Gegevens over een melding", "", retention.signal),
        ("Gegevens over uw hulp", " nadat de hulp stopt", retention.trajectory),
        (
            "Gegevens over uw hulp als u een eigen bedrijf hebt",
            " nadat de hulp stopt",
            retention.trajectory_of_entrepreneur,
        ),
        ("Dat u ons iets vroeg over uw gegevens", "", retention.request),
        ("Dat wij uw gegevens wisten, zonder uw naam of BSN", "", retention.erasure),
        ("Dat u bezwaar maakte", " nadat u het bezwaar introk", retention.objection),
    )
    yield Heading("Hoe lang bewaren wij uw gegevens, en waarom?")
    yield Bullets(
        tuple(
            f"{what}: {months(period.months)}{since}. Waarom zo lang? {period.justification}"
            for what, since, period in kinds
        )
    )
    yield Paragraph(
        "Daarna vernietigen wij de gegevens. Of wij maken ze zo dat niemand meer kan zien dat het over u gaat."
    )
    fewest = policy.figures.suppress_below
    if fewest > 1:
        yield Paragraph(
            f"Wij maken ook cijfers. Groepen met minder dan {fewest} meldingen tonen wij niet. Zo kan niemand u in de "
            "cijfers herkennen."
        )
    else:
        yield Paragraph(f"Wij maken ook cijfers. Kleine groepen tonen wij ook (grens: {fewest}).")


def _people_decide() -> Iterator[Block]:
    yield Heading("Beslist een computer over u?")
    yield Paragraph(
        "Nee. De computer kijkt alleen welk team de melding krijgt. Mensen nemen contact met u op en mensen beslissen "
        "wat er gebeurt. De computer neemt geen besluit met gevolgen voor uw rechten. U kiest zelf of u hulp wilt."
    )


def _informed(policy: Policy) -> Iterator[Block]:
    opens, notice = policy.inform.open_after_admission_days, policy.inform.notice_within_months
    yield Heading("Hoe hoort u van ons dat wij dit doen?")
    yield Paragraph(
        "Begint uw hulp bij schulden? Dan vertelt uw schuldhulpverlener wat wij met uw gegevens doen, hoe lang, en dat "
        f"wij na afloop nog toetsen. Weten wij na {days(opens)} niet dat u dit hebt gehoord? Dan krijgt hij de taak om "
        "het u te vertellen."
    )
    yield Paragraph(
        "Vinden wij bij een melding voor het eerst gegevens over uw hulp? En hebt u dit nog niet gehoord? Dan hoort u "
        f"dit van ons binnen {months(notice)}."
    )


def _rights() -> Iterator[Block]:
    yield Heading("Wat zijn uw rechten?")
    yield Bullets(
        (
            "Inzage: u mag vragen welke gegevens wij van u hebben. U krijgt daarvan een kopie.",
            "Verbeteren: kloppen uw gegevens niet? Dan mag u vragen of wij ze verbeteren.",
            (
                "Verwijderen: u mag vragen of wij uw gegevens verwijderen. Soms moeten wij gegevens van de wet bewaren. "
                "Dan leggen wij dat uit."
            ),
            "Beperken: u mag vragen of wij uw gegevens een tijd niet gebruiken.",
            (
                "Bezwaar: wilt u niet dat wij meldingen toetsen aan uw hulp bij schulden? Dan kunt u bezwaar maken. Nieuwe "
                "meldingen gaan dan naar het gewone team. U mag uw bezwaar ook weer stoppen."
            ),
            (
                "Klacht: bent u niet tevreden? Dan kunt u een klacht sturen aan de Autoriteit Persoonsgegevens (AP). Dat "
                "kan op www.autoriteitpersoonsgegevens.nl."
            ),
        )
    )
    yield Paragraph("Wij geven binnen 1 maand antwoord op uw vraag. Dat kost u niets.")


def _contact(policy: Policy) -> Iterator[Block]:
    privacy = policy.privacy
    yield Heading("Hebt u een vraag?")
    yield Paragraph(f"Neem contact op met {filled(privacy, 'organisation')}:")
    yield Bullets(
        (
            f"E-mail: {filled(privacy, 'contact_email')}",
            f"Telefoon: {filled(privacy, 'contact_phone')}",
            f"Website: {filled(privacy, 'website')}",
        )
    )
    yield Paragraph(
        "De functionaris gegevensbescherming let op of wij goed omgaan met uw gegevens. U kunt hem ook een vraag "
        f"sturen: {filled(privacy, 'officer_email')}."
    )
