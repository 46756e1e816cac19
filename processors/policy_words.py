"""What every setting of a policy means, in Dutch: for privacy officers and for the Algoritmeregister.

In: a policy. Out: a line per setting that decides something, with its name, its meaning and its value.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from signaalwissel.processors.policy import Policy

MEANINGS: Mapping[str, str] = {
    "window.months": "maanden na afloop waarin een melding nog naar de schuldhulpverlener gaat",
    "window.reasons_that_count": "redenen van uitstroom die daarvoor tellen",
    "identity.name_and_address": "wat adres en achternaam samen zijn: eerst nagaan (verify) of een treffer (hit)",
    "identity.address_persons_max": "personen op een adres waarboven niet wordt nagegaan om wie het gaat",
    "intake.signal_age_days_max": "dagen die een signaaldatum voor de ontvangst mag liggen",
    "intake.resend_days": "dagen waarin dezelfde melding als herhaald bericht wordt herkend",
    "intake.orphan_days": "dagen die een gebeurtenis op haar aanvraag wacht",
    "corrections.period_days": "dagen na ontvangst waarin een melding nog wordt hersteld",
    "deadlines.contact_days": "dagen na ontvangst waarbinnen contact wordt gezocht",
    "deadlines.crisis_working_days": "werkdagen daarvoor bij een bedreigende situatie",
    "deadlines.verify_identity_days": "dagen waarbinnen wordt nagegaan om wie het gaat",
    "deadlines.verify_identity_expires_days": "dagen waarna dat nagaan vervalt",
    "deadlines.evaluate_plan_days": "dagen na het contact waarbinnen het plan van aanpak wordt bekeken",
    "deadlines.aftercare_contact_days": "dagen waarbinnen het contact na het volgen plaatsvindt",
    "ladder.remind_after_days": "dagen waarna de schuldhulpverlener een herinnering krijgt",
    "ladder.team_after_days": "dagen waarna het team de taak ook ziet",
    "ladder.offer_to_regular_after_days": "dagen waarna ook de reguliere stroom de melding krijgt",
    "ladder.crisis_team_after_working_days": "werkdagen tot het team bij een bedreigende situatie",
    "ladder.crisis_offer_after_working_days": "werkdagen tot de reguliere stroom bij een bedreigende situatie",
    "ladder.overdue_remind_every_days": "dagen tussen herinneringen na de uiterste dag",
    "teams.default": "team waar een melding zonder schuldhulpverlener komt",
    "teams.unavailable": "aantal schuldhulpverleners die geen taken krijgen",
    "teams.administrators": "aantal bewindvoerders, die nooit taken krijgen",
    "repeats.period_days": "dagen waarin dezelfde achterstand als herhaling telt",
    "contacts.monthly": "elke maand contact zolang de inwoner wordt gevolgd",
    "contacts.monthly_remind_days_before": "dagen voor het einde van de maand waarop een herinnering volgt",
    "contacts.aftercare": "een contact na het volgen",
    "inform.open_after_admission_days": "dagen na toelating waarna een taak opent om de inwoner te informeren",
    "inform.notice_within_months": "maanden na ontvangst waarbinnen de inwoner is geïnformeerd",
    "figures.suppress_below": "aantal waaronder een cijfer niet wordt getoond",
    "feedback.tell_known_to_debt_help": "of een partner hoort dat de inwoner bekend is bij de schuldhulp",
    "retention.trajectory.months": "maanden na afloop dat gegevens over een traject blijven",
    "retention.trajectory.justification": "waarom zo lang",
    "retention.trajectory_of_entrepreneur.months": "maanden na afloop voor een ondernemer",
    "retention.trajectory_of_entrepreneur.justification": "waarom zo lang",
    "retention.signal.months": "maanden dat gegevens over een melding blijven",
    "retention.signal.justification": "waarom zo lang",
    "retention.request.months": "maanden dat wordt bewaard dat een inwoner iets vroeg en wat er is gedaan",
    "retention.request.justification": "waarom zo lang",
    "retention.erasure.months": "maanden dat de lijst van wissingen blijft; langer dan de oudste back-up",
    "retention.erasure.justification": "waarom zo lang",
    "retention.objection.months": "maanden dat een bezwaar blijft nadat de inwoner het introk",
    "retention.objection.justification": "waarom zo lang",
}
"""Every setting that decides, by its name in the policy file."""

# Who they are is personal data of staff, and no reader of a privacy text needs it.
_COUNTED = ("teams.unavailable", "teams.administrators")


def settings_in_words(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Name, meaning and value of every setting that decides; ids of people only as a number."""
    for name, value in _leaves(policy.settings):
        yield name, MEANINGS.get(name, name), str(len(value)) if name in _COUNTED else _shown(value)


def _leaves(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield path + key, value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "geen"
    return str(value)
