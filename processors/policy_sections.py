"""The sections of a policy: what a municipality decides for itself, key by key, each with its bounds.

In: TOML tables. Out: frozen values. What must hold between keys, `policy.py` checks. Defaults are those of domain 8.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_serializer, model_validator
from signaalwissel.schemas.trajectory import ExitReason

Days = Annotated[int, Field(ge=0, le=3660)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
WebAddress = Annotated[
    str,
    StringConstraints(
        pattern=r"^https://[A-Za-z0-9.-]+\.[A-Za-z]{2,}(/[A-Za-z0-9._~/?=&%+-]*)?$", max_length=300
    ),
]
ChannelAddress = Annotated[
    str,
    StringConstraints(
        pattern=r"^(https://[A-Za-z0-9.-]+(:[0-9]{1,5})?|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?)"
        r"(/[A-Za-z0-9._~/-]*)?$",
        max_length=300,
    ),
]
"""https, or plain on this machine; without user, query or fragment: nothing secret stands in a policy."""
PartnerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
"""A partner id that can be the name of a file or folder."""
EmailAddress = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=200)
]
PhoneNumber = Annotated[str, StringConstraints(pattern=r"^(\+31|0)[0-9 -]{2,16}[0-9]$", max_length=20)]
FileBelow = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)+$", max_length=200),
]
"""A file in a folder below that of the policies, whose own files are all policies."""
YearMonth = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


class Section(BaseModel):
    """A table of a policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Window(Section):
    """How long a completed trajectory still counts (domain 8.1, 8.4)."""

    months: int = Field(default=6, ge=1, le=24)
    reasons_that_count: tuple[ExitReason, ...] = (ExitReason.COMPLETED,)


class Identity(Section):
    """When a match is a match (domain 8.8)."""

    name_and_address: Literal["verify", "hit"] = "verify"
    address_persons_max: int = Field(default=8, ge=1, le=100)


class Intake(Section):
    """What is accepted (domain 8.15, 8.16)."""

    signal_age_days_max: Days = 62
    resend_days: int = Field(default=35, ge=1, le=366)
    orphan_days: int = Field(default=30, ge=1, le=366)


class Corrections(Section):
    """How long a late truth still corrects (domain 8.11)."""

    period_days: int = Field(default=35, ge=1, le=366)


class Deadlines(Section):
    """By when a task must be done (domain 8.8, 8.9).

    The contact on a relapse and the verification count from the day of receipt, the other tasks from the day on which
    they open; an evaluation from the contact that it follows. The law allows no more than four weeks, and three working
    days in a threatening situation (domain 2).
    """

    contact_days: int = Field(default=28, ge=1, le=28)
    crisis_working_days: int = Field(default=3, ge=1, le=3)
    verify_identity_days: int = Field(default=14, ge=0, le=366)
    verify_identity_expires_days: int = Field(default=34, ge=0, le=366)
    evaluate_plan_days: int = Field(default=28, ge=1, le=366)
    aftercare_contact_days: int = Field(default=28, ge=1, le=366)

    @model_validator(mode="after")
    def _answered_before_it_expires(self) -> Self:
        if self.verify_identity_expires_days < self.verify_identity_days:
            raise ValueError(
                f"verify_identity_expires_days = {self.verify_identity_expires_days} "
                f"must not lie before verify_identity_days = {self.verify_identity_days}"
            )
        return self


class Ladder(Section):
    """Who is next when the resident is not reached (domain 8.10): days after the day of receipt.

    In a threatening situation working days after it (domain 8.9). `overdue_remind_every_days` counts from the day
    after the deadline.
    """

    remind_after_days: tuple[Annotated[int, Field(ge=1, le=366)], ...] = Field(default=(7, 14), max_length=10)
    team_after_days: int = Field(default=14, ge=1, le=366)
    offer_to_regular_after_days: int = Field(default=24, ge=1, le=366)
    crisis_team_after_working_days: int = Field(default=1, ge=0, le=20)
    crisis_offer_after_working_days: int = Field(default=2, ge=0, le=20)
    overdue_remind_every_days: int = Field(default=7, ge=1, le=28)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = self.remind_after_days
        if list(days) != sorted(set(days)):
            raise ValueError(f"remind_after_days = {list(days)} must rise")
        if days and days[-1] > self.team_after_days:
            raise ValueError(
                f"remind_after_days = {list(days)} must not end after team_after_days = {self.team_after_days}"
            )
        if self.team_after_days > self.offer_to_regular_after_days:
            raise ValueError(
                f"team_after_days = {self.team_after_days} must not lie after "
                f"offer_to_regular_after_days = {self.offer_to_regular_after_days}"
            )
        if self.crisis_team_after_working_days > self.crisis_offer_after_working_days:
            raise ValueError(
                f"crisis_team_after_working_days = {self.crisis_team_after_working_days} must not lie after "
                f"crisis_offer_after_working_days = {self.crisis_offer_after_working_days}"
            )
        return self


class Teams(Section):
    """Who answers where no counsellor does (domain 8.7).

    `unavailable` are gone or outsourced counsellors, `administrators` ids of bewindvoerders: neither owns a task.
    """

    default: Text
    unavailable: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()

    @field_serializer("unavailable", "administrators", when_used="json")
    def _in_order(self, names: frozenset[str]) -> list[str]:
        # A set's own order differs from process to process, and the policy's version hangs on it.
        return sorted(names)

    def may_own(self, counsellor_id: str) -> bool:
        """Whether a task may go to this counsellor in person."""
        return counsellor_id not in self.unavailable and counsellor_id not in self.administrators


class Repeats(Section):
    """When a report is a repeated one (domain 8.14)."""

    period_days: int = Field(default=183, ge=1, le=732)


class Contacts(Section):
    """Which contacts are due without a signal (deck: 'Contact bij terugval').

    `monthly_remind_days_before` counts back from the last day of a month of monitoring, which has 28 days or more.
    """

    monthly: bool = True
    monthly_remind_days_before: int = Field(default=7, ge=1, le=27)
    aftercare: bool = True


class Inform(Section):
    """When the resident must have been informed of the processing (domain 8.18): within a month, says the law."""

    open_after_admission_days: int = Field(default=14, ge=0, le=27)
    notice_within_months: int = Field(default=1, ge=1, le=1)


class Figures(Section):
    """Below which count a published figure is left out: few people in a cell are people who can be known."""

    suppress_below: int = Field(default=10, ge=0, le=1000)


class Feedback(Section):
    """What partners are told (domain 8.17)."""

    tell_known_to_debt_help: bool = False


class PartnerChannel(Section):
    """The way on which one partner is told (domain 8.17); `publisher` is whose topic `feedback.<publisher>` it is."""

    kind: Literal["webhook", "file", "topic"]
    url: ChannelAddress | None = None
    publisher: PartnerName | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind == "webhook") != (self.url is not None):
            raise ValueError("a webhook needs a url, and nothing else has one")
        if (self.kind == "topic") != (self.publisher is not None):
            raise ValueError("a topic needs a publisher, and nothing else has one")
        return self


class Channels(Section):
    """To whom feedback goes by itself; nobody unless he is named.

    Attributes:
        regular_side_too: The regular side tells this partner by the same channels. Otherwise a partner whom we tell
            knows by that alone that the resident is in debt help.
        partners: By partner id.
    """

    regular_side_too: bool = False
    partners: dict[PartnerName, PartnerChannel] = Field(default_factory=dict)


class RetentionPeriod(Section):
    """How long a kind of data is kept, and why."""

    months: int = Field(ge=1, le=240)
    justification: Annotated[str, Field(min_length=10)]


class Privacy(Section):
    """What only the municipality knows and its privacy texts must say; nothing here decides about a signal.

    Everything may be missing until the texts are made: `privacy-statement` names what is.
    """

    organisation: Text | None = None
    website: WebAddress | None = None
    contact_email: EmailAddress | None = None
    contact_phone: PhoneNumber | None = None
    officer_email: EmailAddress | None = None
    dpia_url: WebAddress | None = None
    register_category: (
        Literal["Hoog-risico AI-systeem", "Impactvolle algoritmes", "Overige algoritmes"] | None
    ) = None
    register_status: Literal["In ontwikkeling", "In gebruik", "Buiten gebruik"] | None = None
    register_begin: YearMonth | None = None
    processing_register: FileBelow | None = None
    # What of a signal's resident goes to CBS with the DDAS report (`report ddas`); its schema wants one of the two.
    ddas_clients: Literal["withheld", "address", "bsn"] = "withheld"


class Retention(Section):
    """Periods per kind of data, each with its reason (deck; design 7)."""

    trajectory: RetentionPeriod
    trajectory_of_entrepreneur: RetentionPeriod
    signal: RetentionPeriod
    # What is kept of the resident's rights. Of these the product has periods of its own: policies from before may
    # lack them, and they decide nothing about a signal.
    request: RetentionPeriod = RetentionPeriod(
        months=60,
        justification="Vijf jaar: zo lang kan de gemeente moeten laten zien dat zij een verzoek heeft afgehandeld.",
    )
    erasure: RetentionPeriod = RetentionPeriod(
        months=84,
        justification="Zeven jaar: langer dan de oudste back-up. Wordt een back-up teruggezet, dan wissen wij opnieuw.",
    )
    objection: RetentionPeriod = RetentionPeriod(
        months=6,
        justification="Zes maanden: zo lang kunnen er nog meldingen zijn uit de tijd dat het bezwaar gold.",
    )


RIGHTS_PERIODS = frozenset({"request", "erasure", "objection"})
"""Periods that decide nothing about a signal."""
