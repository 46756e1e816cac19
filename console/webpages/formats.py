"""Days, moments and amounts as Dutch pages write them."""

from datetime import date, datetime, timedelta

from signaalwissel.processors.amsterdam import AMSTERDAM
from signaalwissel.processors.figures import Precision, Shown
from signaalwissel.sinks.copying import moment_of

_MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)
_NOTHING = "-"
_CENTS = 100
_THOUSAND = 1000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def day(value: date | None) -> str:
    """2 maart 2026; a dash where there is none."""
    return _NOTHING if value is None else f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def month(value: date) -> str:
    """The month as people write it: maart 2026."""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def figure(shown: Shown) -> str:
    """12, minder dan 10, 37 of meer."""
    if shown.precision is Precision.BELOW:
        return f"minder dan {shown.number}"
    return f"{shown.number} of meer" if shown.precision is Precision.AT_LEAST else number(shown.number)


def moment(value: datetime | int) -> str:
    """2 maart 2026, 14.05 uur, as a clock in Amsterdam shows it."""
    at = (moment_of(value) if isinstance(value, int) else value).astimezone(AMSTERDAM)
    return f"{day(at.date())}, {at:%H.%M} uur"


def euros(cents: int | None) -> str:
    """€ 1.234,50."""
    if cents is None:
        return _NOTHING
    whole, rest = divmod(cents, _CENTS)
    return f"€ {whole:,}".replace(",", ".") + f",{rest:02d}"


def until(due: date, today: date) -> str:
    """How far away a day is: vandaag, morgen, over 3 dagen, 2 dagen te laat."""
    days = (due - today).days
    if days < 0:
        return f"{-days} {'dag' if days == -1 else 'dagen'} te laat"
    if days == 0:
        return "vandaag"
    return "morgen" if days == 1 else f"over {days} dagen"


def urgency(due: date, today: date) -> str:
    """late, today, soon or later: how a due day is marked, always beside its words."""
    if due < today:
        return "late"
    if due == today:
        return "today"
    return "soon" if due <= today + timedelta(days=3) else "later"


def duration(seconds: float) -> str:
    """Roughly how long: 5 seconden, 3 minuten."""
    for unit, name in ((_DAY_S, "dagen"), (_HOUR_S, "uur"), (_MINUTE_S, "minuten")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(max(seconds, 0))} seconden"


def number(value: int) -> str:
    """12.345."""
    return f"{value:,}".replace(",", ".") if value >= _THOUSAND else str(value)


def who(actor: str) -> str:
    """An actor without the issuer of their token, which is the same for everybody here."""
    return actor.rpartition("#")[2]


def capitalized(text: str) -> str:
    """With a capital in front; the rest as it is, such as BSN."""
    return text[:1].upper() + text[1:]
