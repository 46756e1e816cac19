"""Settings of the hand-over to Open Klant.

Flows in: values of the product's settings. Flows out: one frozen object, refused when it cannot work.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from signaalwissel.processors.open_klant_texts import HANDED_OVER
from signaalwissel.schemas.followup import TaskKind

COUNSELLOR_KINDS = frozenset(
    {
        TaskKind.CONTACT_ON_RELAPSE,
        TaskKind.EVALUATE_PLAN,
        TaskKind.MONTHLY_CONTACT,
        TaskKind.AFTERCARE_CONTACT,
    }
)
"""What counsellors do, and what is handed over where nothing else is set."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CHANNEL_MAX = 50


class OpenKlantUnusable(ValueError):
    """A setting of the hand-over cannot be used; names it, never its value where that may be secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenKlantSettings:
    """How tasks go to Open Klant; units are the last part of each name.

    Attributes:
        url: The klantinteracties API up to and including its version.
        token: The API token; never shown.
        kinds: Which tasks are handed over.
        poll_s: How long between two looks at one open internetaak.
        channel: `kanaal` of a klantcontact, a value of the reference list where Open Klant checks one.
        timeout_s: How long one answer may take.
        failures_max: After so many failures in a row Open Klant is left alone for a while.
        pause_s: For how long at first; each failed try after it doubles the pause, up to `pause_max_s`.
        pause_max_s: The longest pause.
    """

    url: str
    token: str = field(repr=False)
    kinds: frozenset[TaskKind] = COUNSELLOR_KINDS
    poll_s: float = 60.0
    channel: str = "signaalwissel"
    timeout_s: float = 10.0
    failures_max: int = 5
    pause_s: float = 30.0
    pause_max_s: float = 600.0

    def __post_init__(self) -> None:
        _check_url(self.url)
        if not self.token or not self.token.isascii() or not self.token.isprintable():
            raise OpenKlantUnusable(
                "OPEN_KLANT_TOKEN must be the API token of Open Klant: printable ASCII, not empty"
            )
        if not self.kinds or not self.kinds <= HANDED_OVER:
            raise OpenKlantUnusable(
                f"OPEN_KLANT_KINDS must name one or more of {', '.join(sorted(HANDED_OVER))}"
            )
        if not 1 <= len(self.channel) <= _CHANNEL_MAX:
            raise OpenKlantUnusable(f"OPEN_KLANT_CHANNEL must have 1 to {_CHANNEL_MAX} characters")


def kinds_of(names: str) -> frozenset[TaskKind]:
    """The kinds that a text names, separated by commas; OpenKlantUnusable names the one that is none."""
    kinds = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in HANDED_OVER:
            raise OpenKlantUnusable(
                f"OPEN_KLANT_KINDS: {name} is no kind that can be handed over; "
                f"choose from {', '.join(sorted(HANDED_OVER))}"
            )
        kinds.add(TaskKind(name))
    return frozenset(kinds)


def _check_url(url: str) -> None:
    # The text is not repeated: somebody may have put a password in it.
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise OpenKlantUnusable("OPEN_KLANT_URL is not like https://host/klantinteracties/api/v1")
    if parts.username is not None or parts.password is not None:
        raise OpenKlantUnusable(
            "OPEN_KLANT_URL must not hold a user or password; the token is OPEN_KLANT_TOKEN"
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise OpenKlantUnusable("OPEN_KLANT_URL must begin with https: the token would travel in the clear")
