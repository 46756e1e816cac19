"""Where data lies: every topic, state table and database table, for how long, who writes and who reads it.

In: the policy, for the periods that it sets. Out: one store per place, with the records in it. Together with
`privacy_records` and `privacy_tables` this is the one catalogue from which the DPIA facts are made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from signaalwissel.processors.policy import Policy
from signaalwissel.processors.privacy_natures import Nature
from signaalwissel.processors.privacy_records import RECORDS
from signaalwissel.processors.privacy_tables import TABLES
from signaalwissel.processors.privacy_words import days, months
from signaalwissel.processors.retention import SENT_KEPT_DAYS, TOMBSTONE_MARGIN_DAYS, longest_months

POLICY = "Policy"
"""A policy has no Avro schema; of a person it says who of the staff gets no tasks."""

FIELDS: Mapping[str, Mapping[Nature, str]] = {
    **RECORDS,
    POLICY: {Nature.STAFF: "teams.unavailable teams.administrators"},
}
"""Per record its fields, by nature."""


class Term(Enum):
    """What decides how long a store keeps a record."""

    WEEK = auto()
    MONTH = auto()
    RESEND = auto()
    CORRECTION = auto()
    LEDGER = auto()
    IDLE = auto()
    SIGNAL = auto()
    TRAJECTORY = auto()
    ENDED_TASK = auto()
    NOTICE = auto()
    SENT = auto()
    POLICY = auto()
    TOMBSTONE = auto()
    RUNNING = auto()
    ACKNOWLEDGED = auto()
    AUDIT = auto()
    REQUEST = auto()
    ERASURE = auto()
    OBJECTION = auto()
    SESSION = auto()


@dataclass(frozen=True)
class Store:
    """A place where records lie.

    Attributes:
        name: Topic without prefix, state table as `app/table`, or database table.
        records: Avro records in it, also those inside a seal; for a database table nothing, it has columns.
        term: What decides how long.
        writers: Who writes.
        readers: Who reads.
    """

    name: str
    records: tuple[str, ...]
    term: Term
    writers: str
    readers: str


TOPICS = (
    Store("signals", ("EarlySignal",), Term.WEEK, "signaalpartners", "intake"),
    Store("signals-moved", ("EarlySignal",), Term.WEEK, "intake", "intake"),
    Store("trajectories", ("TrajectoryEvent",), Term.MONTH, "casussystemen", "intake"),
    Store("trajectories-moved", ("TrajectoryEvent",), Term.MONTH, "intake", "intake"),
    Store("task-updates", ("TaskUpdate",), Term.MONTH, "taaksystemen", "sink"),
    Store(
        "resident-events",
        ("KeyedSignal", "KeyedTrajectory", "ResidentCommand", "RotationStep", "SealedSubject"),
        Term.WEEK,
        "intake, sink, keys rotate",
        "matcher",
    ),
    Store("intake-commands", ("IntakeCommand", "RotationStep"), Term.MONTH, "sink, keys rotate", "intake"),
    Store("trajectory-states", ("TrajectoryState",), Term.TRAJECTORY, "intake", "sink, rebuild, import"),
    Store("import-ledger", ("ImportedRows",), Term.LEDGER, "import", "import"),
    Store("import-states", ("ImportedState",), Term.TRAJECTORY, "import", "import"),
    Store(
        "counsellor-followup",
        ("RoutedSignal", "SealedSubject"),
        Term.MONTH,
        "matcher",
        "systeem van de schuldhulpverleners",
    ),
    Store(
        "regular-flow",
        ("RoutedSignal", "SealedSubject"),
        Term.MONTH,
        "matcher",
        "systeem voor vroegsignalering",
    ),
    Store(
        "counsellor-corrections",
        ("RouteCorrection", "SealedSubject"),
        Term.MONTH,
        "matcher",
        "systeem van de schuldhulpverleners",
    ),
    Store(
        "regular-corrections",
        ("RouteCorrection", "SealedSubject"),
        Term.MONTH,
        "matcher",
        "systeem voor vroegsignalering",
    ),
    Store("decisions", ("Decision", "SealedSubject"), Term.MONTH, "matcher", "sink"),
    Store("tasks", ("TaskEvent",), Term.MONTH, "sink", "taaksystemen; Open Klant, waar ingesteld"),
    Store("notices", ("NoticeEvent",), Term.MONTH, "sink", "systemen die inwoners en partners informeren"),
    Store(
        "feedback", ("PartnerFeedback",), Term.MONTH, "sink", "de signaalpartner zelf, alleen wat van hem is"
    ),
    Store(
        "dead-letters",
        ("DeadLetter", "OriginalRecord"),
        Term.WEEK,
        "intake, matcher, sink",
        "sink; een beheerder via dead-letters",
    ),
)
"""Kafka topics but the changelogs, which lie beside the state tables; publishers' own inputs are as `signals`, `feedback` is one for each publisher."""

STATES = (
    Store("intake/signals", ("IntakeSignal",), Term.RESEND, "intake", "intake"),
    Store(
        "intake/trajectories",
        ("IntakeTrajectory", "SealedClients", "OriginalRecord"),
        Term.TRAJECTORY,
        "intake",
        "intake",
    ),
    Store("intake/rotations", ("MatchRotation",), Term.RUNNING, "intake", "intake, keys rotate"),
    Store("matcher/trajectories", ("KeyedTrajectory",), Term.IDLE, "matcher", "matcher"),
    Store(
        "matcher/recents",
        ("RecentSignal", "KeyedSignal", "SealedSubject"),
        Term.CORRECTION,
        "matcher",
        "matcher, keys rotate",
    ),
    Store("matcher/policies", (POLICY,), Term.CORRECTION, "matcher", "matcher"),
    Store("matcher/rotations", ("MatchRotation",), Term.RUNNING, "matcher", "matcher, keys rotate"),
)
"""Tables of the two apps, each with its compacted changelog topic."""

_SINK = "sink"
_WRITERS = "sink; opdrachten van een beheerder"
_AUDITORS = "een beheerder via audit verify"
_RIGHTS = "een privacy-medewerker via subject"
_PAGES = "schuldhulpverlener, teamleider en privacy-medewerker op de webpagina's"
_CASE_READERS = f"sink; een beheerder via signal show; {_PAGES}"
_CHECKS = "de gateway en check, voor een toets"
DATABASE = (
    Store("consumed_offsets", (), Term.RUNNING, _SINK, "sink; een beheerder op de webpagina's"),
    Store("decisions", (), Term.SIGNAL, _SINK, _CASE_READERS),
    Store("trajectories", (), Term.TRAJECTORY, _SINK, f"sink; {_CHECKS}; {_PAGES}"),
    Store("trajectory_keys", (), Term.TRAJECTORY, _SINK, _CHECKS),
    Store("found", (), Term.TRAJECTORY, _SINK, f"sink; {_PAGES}"),
    Store("tasks", (), Term.TRAJECTORY, _SINK, _CASE_READERS),
    Store("task_signals", (), Term.ENDED_TASK, _SINK, _CASE_READERS),
    Store("task_history", (), Term.TRAJECTORY, _SINK, _CASE_READERS),
    Store("task_updates", (), Term.TRAJECTORY, _SINK, f"sink; {_PAGES}"),
    Store("policies", (), Term.POLICY, _SINK, "sink; de webpagina's"),
    Store("notices", (), Term.NOTICE, _SINK, f"sink; {_PAGES}"),
    Store("commands", (), Term.SIGNAL, _SINK, "sink, rebuild"),
    Store(
        "dead_letters",
        (),
        Term.SIGNAL,
        _SINK,
        "een beheerder via dead-letters, en afgeschermd op de webpagina's; wie ze daar herstelt",
    ),
    Store("outbox", (), Term.SENT, _SINK, _SINK),
    Store(
        "feedback_deliveries",
        (),
        Term.NOTICE,
        _SINK,
        "sink; de signaalpartner krijgt zijn nummer en één woord",
    ),
    Store("open_klant_handovers", (), Term.TRAJECTORY, _SINK, _SINK),
    Store("processing_log", (), Term.ACKNOWLEDGED, _WRITERS, "sink; het logboek van de gemeente"),
    Store("audit_chains", (), Term.RUNNING, _WRITERS, _AUDITORS),
    Store("audit_starts", (), Term.RUNNING, _WRITERS, _AUDITORS),
    Store("audit_kept", (), Term.RUNNING, "de eigenaar van de database", "sink"),
    Store("audit_blocks", (), Term.AUDIT, _WRITERS, _AUDITORS),
    Store("audit_events", (), Term.AUDIT, _WRITERS, f"{_AUDITORS}; een privacy-medewerker op de webpagina's"),
    Store(
        "retention_holds",
        (),
        Term.TRAJECTORY,
        "een beheerder via retention",
        "sink; een beheerder via retention",
    ),
    Store("retention_terms", (), Term.TRAJECTORY, _SINK, _SINK),
    Store("retention_tombstones", (), Term.TOMBSTONE, _SINK, _SINK),
    Store("retention_days", (), Term.RUNNING, _SINK, _SINK),
    Store("retention_proofs", (), Term.RUNNING, _SINK, "een beheerder via retention"),
    Store(
        "retained_figures",
        (),
        Term.RUNNING,
        _SINK,
        "een beheerder via report; teamleider en privacy-medewerker op de webpagina's",
    ),
    Store("ended_sessions", (), Term.SESSION, "de webpagina's; een beheerder via access", "de webpagina's"),
    Store("running_sessions", (), Term.SESSION, "de webpagina's", "de webpagina's"),
    Store("subject_requests", (), Term.REQUEST, _RIGHTS, _RIGHTS),
    Store("erasure_ledger", (), Term.ERASURE, _RIGHTS, "sink; een beheerder via subject ledger"),
    Store("objections", (), Term.OBJECTION, _RIGHTS, "sink, rebuild"),
)
"""Tables in PostgreSQL."""


@dataclass(frozen=True)
class Fact:
    """One field in one store: a line of the DPIA facts."""

    record: str
    field: str
    nature: Nature
    store: str
    kept: str
    writers: str
    readers: str


def facts(policy: Policy) -> Iterator[Fact]:
    """Every field of every record in every store, in the order of the catalogue."""
    for store in (*TOPICS, *STATES):
        for record in store.records:
            for nature, fields in FIELDS[record].items():
                for name in fields.split():
                    yield _fact(record, name, nature, store, policy)
    for store in DATABASE:
        for nature, columns in TABLES[store.name].items():
            for name in columns.split():
                yield _fact(f"tabel {store.name}", name, nature, store, policy)


def kept(term: Term, policy: Policy) -> str:
    """How long, in Dutch, with the setting that says so; days of the broker count per topic."""
    retention = policy.retention
    signal = months(retention.signal.months)
    tombstone = policy.corrections.period_days + TOMBSTONE_MARGIN_DAYS
    told = {
        Term.WEEK: "7 dagen (Kafka)",
        Term.MONTH: "30 dagen (Kafka)",
        Term.RESEND: f"{days(policy.intake.resend_days)} (intake.resend_days)",
        Term.CORRECTION: f"{days(policy.corrections.period_days)} (corrections.period_days)",
        Term.LEDGER: "400 dagen (Kafka)",
        Term.IDLE: f"{days(policy.state_idle_days)} na de laatste wijziging, als geen regel het meer nodig heeft",
        Term.SIGNAL: f"{signal} (retention.signal)",
        Term.TRAJECTORY: (
            f"{months(retention.trajectory.months)} na afloop (retention.trajectory); ondernemer "
            f"{months(retention.trajectory_of_entrepreneur.months)} (retention.trajectory_of_entrepreneur)"
        ),
        Term.ENDED_TASK: f"{signal} (retention.signal), of tot de taak klaar is als dat later is",
        Term.NOTICE: (
            f"zo lang als het traject; terugkoppeling aan partners {signal}; bewijs van vernietiging blijft"
        ),
        Term.SENT: f"{days(SENT_KEPT_DAYS)} na verzending",
        Term.POLICY: f"zolang gegevens ernaar verwijzen, en ten minste {signal} (retention.signal)",
        Term.TOMBSTONE: f"{days(tombstone)} nadat intake het traject heeft vernietigd, of de taak is gewist",
        Term.REQUEST: f"{months(retention.request.months)} (retention.request)",
        Term.ERASURE: f"{months(retention.erasure.months)} (retention.erasure); langer dan elke back-up",
        Term.OBJECTION: (
            f"zolang het bezwaar geldt, en {months(retention.objection.months)} na intrekking (retention.objection)"
        ),
        Term.SESSION: "20 uur, en tot daarna weer een sessie wordt beëindigd",
        Term.RUNNING: "zolang de installatie bestaat",
        Term.AUDIT: f"{months(longest_months([policy]))}: de langste bewaartermijn van enig beleid",
        Term.ACKNOWLEDGED: "tot het logboek de ontvangst bevestigt; het aantal regels daarna nog 92 dagen",
    }
    return told[term]


def _fact(record: str, name: str, nature: Nature, store: Store, policy: Policy) -> Fact:
    return Fact(record, name, nature, store.name, kept(store.term, policy), store.writers, store.readers)
