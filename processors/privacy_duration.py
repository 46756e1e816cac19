"""The part of the privacy statement that tells how long signals are tested, and what follows on a hit.

In: the policy. Out: blocks of plain Dutch. The rules behind the sentences: domain 8.1 to 8.14.
"""

from collections.abc import Iterator
from datetime import date

from signaalwissel.processors.amsterdam import add_months
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.privacy_page import Block, Bullets, Heading, Paragraph
from signaalwissel.processors.privacy_words import EXITS, days, months, working_days

_NAMES = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
]
# The end of a month, because there the calendar is least obvious (domain 8.1).
_EXAMPLE = date(2025, 8, 31)


def how_long() -> Iterator[Block]:
    """The test while help runs, aftercare and services included (domain 8.3, 8.5)."""
    yield Heading("Hoe lang toetsen wij meldingen?")
    yield Paragraph(
        "Wij toetsen zolang u hulp bij schulden krijgt. Dat begint op de dag van uw aanvraag. Het stopt als uw hulp "
        "stopt."
    )
    yield Paragraph(
        "Krijgt u daarna nog nazorg? Of volgen wij hoe het met u gaat? Dan toetsen wij ook in die tijd. Dat geldt ook "
        "bij budgetbeheer, beschermingsbewind, budgetcoaching en andere begeleiding. Het maakt dan niet uit hoe lang "
        "geleden uw hulp stopte."
    )


def after_completion(policy: Policy) -> Iterator[Block]:
    """The test after completion: the window, for whom, and an example by the calendar (domain 8.1, 8.4)."""
    window = policy.window
    yield Heading("Toetsen wij ook na afloop?")
    if not window.reasons_that_count:
        yield Paragraph("Nee. Na afloop toetsen wij alleen zolang u nog nazorg of begeleiding krijgt.")
        return
    last = add_months(_EXAMPLE, window.months)
    yield Paragraph(
        f"Ja. Na het einde van uw hulp toetsen wij nog {months(window.months)}. Zo kan uw schuldhulpverlener snel "
        f"helpen als er weer een schuld komt. Een voorbeeld: uw hulp stopte op {_on(_EXAMPLE)}. Dan toetsen wij tot en "
        f"met {_on(last)}."
    )
    yield Paragraph("Wij doen dit alleen als uw hulp zo stopte:")
    yield Bullets(tuple(EXITS[reason] for reason in window.reasons_that_count))
    yield Paragraph("Stopte uw hulp op een andere manier? Dan gaat een nieuwe melding naar het gewone team.")


def when_reported(policy: Policy) -> Iterator[Block]:
    """What follows on a report: contact, the ladder, identity, repeats, corrections (domain 8.8 to 8.14)."""
    deadlines, ladder = policy.deadlines, policy.ladder
    yield Heading("Wat gebeurt er na een melding?")
    yield Paragraph(
        "Krijgt of kreeg u hulp? Dan zoekt uw schuldhulpverlener contact met u binnen "
        f"{days(deadlines.contact_days)}. Dreigt u uw huis, energie, water of zorgverzekering te verliezen? Dan doet "
        f"hij dat binnen {working_days(deadlines.crisis_working_days)}."
    )
    yield Paragraph(
        f"Lukt dat niet? Dan vragen wij na {days(ladder.team_after_days)} zijn team om hulp. En na "
        f"{days(ladder.offer_to_regular_after_days)} krijgt ook het gewone team de melding. Zo vergeten wij niemand."
    )
    yield Paragraph(_identity(policy))
    yield Paragraph(
        f"Meldt hetzelfde bedrijf dezelfde schuld nog eens binnen {days(policy.repeats.period_days)}? Dan is dat geen "
        "nieuwe melding, tenzij de schuld hoger is."
    )
    yield Paragraph(
        "Horen wij later iets nieuws over uw hulp? Dan kijken wij opnieuw naar de melding, tot "
        f"{days(policy.corrections.period_days)} nadat die kwam."
    )
    yield from _contacts(policy)


def _identity(policy: Policy) -> str:
    told = (
        "Soms staat in een melding alleen een adres. Dan weten wij nog niet zeker om wie het gaat. Een medewerker "
        f"zoekt dat uit binnen {days(policy.deadlines.verify_identity_days)}. Wonen er meer dan "
        f"{policy.identity.address_persons_max} mensen op het adres met hulp bij schulden? Dan zoeken wij het niet uit."
    )
    if policy.identity.name_and_address == "hit":
        told += " Kloppen adres en achternaam allebei? Dan gaan wij ervan uit dat u het bent."
    return told


def _contacts(policy: Policy) -> Iterator[Block]:
    if policy.contacts.monthly:
        yield Paragraph("Volgen wij hoe het met u gaat? Dan nemen wij elke maand contact met u op.")
    if policy.contacts.aftercare:
        yield Paragraph(
            "Stoppen wij met volgen? Dan nemen wij nog één keer contact met u op, binnen "
            f"{days(policy.deadlines.aftercare_contact_days)}."
        )


def _on(day: date) -> str:
    return f"{day.day} {_NAMES[day.month - 1]} {day.year}"
