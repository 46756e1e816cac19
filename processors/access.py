"""Who may do what to which object: roles, actions and scopes as one table (design 12).

In: a principal that was recognised, an action, the object it is about. Out: yes or no. Nothing else decides this: pages
and interfaces ask `may`, and the database's own policies stand below it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody, or a program, is here."""

    INTEGRATOR = "integrator"
    """A program of a partner, a case system or a task system."""
    SIGNAL_SYSTEM = "signal-system"
    """The municipality's own early-signalling system. Never a partner: it learns who is in debt help."""
    COUNSELLOR = "counsellor"
    TEAM_LEAD = "team-lead"
    PRIVACY_OFFICER = "privacy-officer"
    OPERATOR = "operator"
    """Keeps the installation running; sees no resident."""


class Action(StrEnum):
    """What can be done."""

    SUBMIT_SIGNAL = "submit-signal"
    SUBMIT_TRAJECTORY_EVENT = "submit-trajectory-event"
    SUBMIT_TASK_UPDATE = "submit-task-update"
    CHECK_RESIDENT = "check-resident"
    READ_TASK = "read-task"
    UPDATE_TASK = "update-task"
    REASSIGN_TASK = "reassign-task"
    OPEN_CONTACT_DETAILS = "open-contact-details"
    READ_DECISION = "read-decision"
    READ_FIGURES = "read-figures"
    READ_POLICY = "read-policy"
    READ_NOTICE = "read-notice"
    EXPORT_SUBJECT = "export-subject"
    ERASE_SUBJECT = "erase-subject"
    RECORD_OBJECTION = "record-objection"
    READ_AUDIT = "read-audit"
    RUN_RETENTION = "run-retention"
    READ_DEAD_LETTER = "read-dead-letter"
    HANDLE_DEAD_LETTER = "handle-dead-letter"
    MEND_DEAD_LETTER = "mend-dead-letter"
    """See the record of a dead letter, personal data masked, and send it mended."""
    READ_STATUS = "read-status"


class Scope(StrEnum):
    """How far a role's right reaches; each but INSTALLATION stays inside the principal's municipalities."""

    OWN = "own"
    """What is in the hands of the principal's own counsellor id."""
    TEAM = "team"
    """What is in the hands of one of the principal's teams."""
    PARTNER = "partner"
    """What one of the principal's partners says."""
    MUNICIPALITY = "municipality"
    INSTALLATION = "installation"
    """Everywhere: only for what holds no data of a resident."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as token, certificate or session told; the sets hold what they may speak for and nothing is implied.

    Attributes:
        subject: Opaque and stable: issuer's subject, client id, or certificate subject.
        roles: What they are.
        municipalities: Codes of four digits.
        counsellor_id: Under which id tasks are theirs, None for none.
        teams: Teams they belong to or lead.
        partners: Signal partners for which a program may speak.
        name: How the pages greet them; never an identity.
    """

    subject: str
    roles: frozenset[Role]
    municipalities: frozenset[str] = frozenset()
    counsellor_id: str | None = None
    teams: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The object of an action, by what decides whose it is; None is "nobody's", which no scope but wider ones reach."""

    municipality: str | None = None
    counsellor_id: str | None = None
    team: str | None = None
    partner_id: str | None = None


TABLE: dict[Role, dict[Action, frozenset[Scope]]] = {
    Role.INTEGRATOR: {
        Action.SUBMIT_SIGNAL: frozenset({Scope.PARTNER}),
        Action.SUBMIT_TRAJECTORY_EVENT: frozenset({Scope.MUNICIPALITY}),
        Action.SUBMIT_TASK_UPDATE: frozenset({Scope.MUNICIPALITY}),
    },
    Role.SIGNAL_SYSTEM: {
        Action.CHECK_RESIDENT: frozenset({Scope.MUNICIPALITY}),
    },
    Role.COUNSELLOR: {
        # A colleague's task is read when they are ill; it is changed by its owner, or by the team while it is the team's.
        Action.READ_TASK: frozenset({Scope.OWN, Scope.TEAM}),
        Action.UPDATE_TASK: frozenset({Scope.OWN, Scope.TEAM}),
        Action.OPEN_CONTACT_DETAILS: frozenset({Scope.OWN, Scope.TEAM}),
        Action.READ_DECISION: frozenset({Scope.OWN, Scope.TEAM}),
        Action.READ_NOTICE: frozenset({Scope.OWN, Scope.TEAM}),
        Action.READ_POLICY: frozenset({Scope.MUNICIPALITY}),
    },
    Role.TEAM_LEAD: {
        Action.READ_TASK: frozenset({Scope.MUNICIPALITY}),
        Action.UPDATE_TASK: frozenset({Scope.TEAM}),
        Action.REASSIGN_TASK: frozenset({Scope.TEAM}),
        Action.OPEN_CONTACT_DETAILS: frozenset({Scope.TEAM}),
        Action.READ_DECISION: frozenset({Scope.MUNICIPALITY}),
        Action.READ_NOTICE: frozenset({Scope.MUNICIPALITY}),
        Action.READ_FIGURES: frozenset({Scope.MUNICIPALITY}),
        Action.READ_POLICY: frozenset({Scope.MUNICIPALITY}),
    },
    Role.PRIVACY_OFFICER: {
        Action.READ_TASK: frozenset({Scope.MUNICIPALITY}),
        Action.READ_DECISION: frozenset({Scope.MUNICIPALITY}),
        Action.READ_NOTICE: frozenset({Scope.MUNICIPALITY}),
        Action.READ_FIGURES: frozenset({Scope.MUNICIPALITY}),
        Action.READ_POLICY: frozenset({Scope.MUNICIPALITY}),
        Action.EXPORT_SUBJECT: frozenset({Scope.MUNICIPALITY}),
        Action.ERASE_SUBJECT: frozenset({Scope.MUNICIPALITY}),
        Action.RECORD_OBJECTION: frozenset({Scope.MUNICIPALITY}),
        Action.READ_AUDIT: frozenset({Scope.MUNICIPALITY}),
        Action.RUN_RETENTION: frozenset({Scope.MUNICIPALITY}),
        Action.READ_DEAD_LETTER: frozenset({Scope.MUNICIPALITY}),
        Action.MEND_DEAD_LETTER: frozenset({Scope.MUNICIPALITY}),
    },
    Role.OPERATOR: {
        # Code, field and rule of a dead letter, never its content: that is sealed.
        Action.READ_DEAD_LETTER: frozenset({Scope.INSTALLATION}),
        Action.HANDLE_DEAD_LETTER: frozenset({Scope.INSTALLATION}),
        Action.READ_STATUS: frozenset({Scope.INSTALLATION}),
    },
}
"""Role x action x scopes; what is not in here is refused."""


def may(principal: Principal, action: Action, target: Target) -> bool:
    """Whether a principal may do this to that; a role adds rights and never takes one of another role away."""
    return any(
        _reaches(scope, principal, target)
        for role in principal.roles
        for scope in TABLE[role].get(action, frozenset())
    )


def may_somewhere(principal: Principal, action: Action) -> bool:
    """Whether there is any object to which a principal may do this: what a menu shows, before there is an object."""
    return any(action in TABLE[role] for role in principal.roles)


def _reaches(scope: Scope, principal: Principal, target: Target) -> bool:
    if scope is Scope.INSTALLATION:
        return True
    if target.municipality is None or target.municipality not in principal.municipalities:
        return False
    match scope:
        case Scope.MUNICIPALITY:
            return True
        case Scope.OWN:
            return principal.counsellor_id is not None and target.counsellor_id == principal.counsellor_id
        case Scope.TEAM:
            return target.team is not None and target.team in principal.teams
        case Scope.PARTNER:
            return target.partner_id is not None and target.partner_id in principal.partners
