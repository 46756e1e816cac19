"""How the database stands, in numbers for a metrics page: what waits, what is due, what is late.

Flows in: a database. Flows out: counts by kind and status; no id, no municipality. The cheap look may be had every
quarter of a minute; the thorough one walks over decisions and kept data, and is for once in an hour.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.sinks.followup_findings import follow_up_findings, waiting_for_the_clock
from signaalwissel.sinks.processing_log import backlog
from signaalwissel.sinks.retention_report import Asked, overdue
from signaalwissel.sinks.settings import ServiceAway, SinkSettings
from sqlalchemy import Engine, text

_TABLES = text(
    """
    SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(ARRAY[
        'outbox', 'dead_letters', 'tasks', 'trajectories', 'processing_log', 'open_klant_handovers'
    ]) AS name
    """
)
_OUTBOX = text(
    """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
    FROM outbox WHERE sent_at IS NULL
    """
)
_TASKS = text(
    """
    SELECT kind, status, count(*) AS running,
        count(*) FILTER (WHERE due_on = today.day) AS due_today,
        count(*) FILTER (WHERE due_on < today.day) AS overdue
    FROM tasks, (SELECT (now() AT TIME ZONE 'Europe/Amsterdam')::date AS day) AS today
    WHERE status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')
    GROUP BY kind, status
    """
)
_LETTERS = text(
    """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min("timestamp")), 0)::float8
    FROM dead_letters WHERE status = 'open'
    """
)
_HANDOVERS = text("SELECT count(*) FROM open_klant_handovers WHERE last_error IS NOT NULL")


@dataclass(frozen=True, slots=True)
class RunningTasks:
    """Tasks of a kind that have not ended, by status."""

    kind: str
    status: str
    running: int
    due_today: int
    overdue: int


@dataclass(frozen=True, slots=True)
class DatabaseGauges:
    """What a cheap look finds; ages in seconds, 0 where nothing waits.

    Attributes:
        outbox_pending: Records that the relay has not sent.
        tasks: Running tasks.
        dead_letters_open: Dead letters that nobody replayed or parked.
        log_lines: Lines of the processing log that are not acknowledged.
        clock_waiting: Tasks and trajectories that wait for the clock since an earlier day.
        handovers_failing: Hand-overs to Open Klant whose last attempt failed.
    """

    outbox_pending: int
    outbox_oldest_s: float
    tasks: tuple[RunningTasks, ...]
    dead_letters_open: int
    dead_letters_oldest_s: float
    log_lines: int
    log_oldest_s: float
    clock_waiting: int
    handovers_failing: int

    @property
    def inform_overdue(self) -> int:
        """Residents who should have been informed before today."""
        return sum(one.overdue for one in self.tasks if one.kind == TaskKind.INFORM_RESIDENT)


@dataclass(frozen=True, slots=True)
class SlowGauges:
    """What a thorough look finds: each of these should be nothing.

    Attributes:
        unattended: Hits without a task, tasks without owner or next day, by fault.
        erasure_overdue: Kinds of data, by municipality, that outlived their period and are not held.
    """

    unattended: Mapping[str, int]
    erasure_overdue: int


class DatabaseLook:
    """Looks at a database.

    Args:
        engine: Where it is.
        policies: How long each kind of data is kept; None where that is not looked at.
    """

    def __init__(self, engine: Engine, policies: Policies | None) -> None:
        self._engine = engine
        self._policies = policies
        self._there = False

    def read(self) -> DatabaseGauges:
        """The cheap look; raises ServiceAway while a sink that starts has not made the tables yet."""
        with self._engine.connect() as connection:
            # Not by the version of the tables: while versions change, a newer one may have made them.
            self._there = self._there or connection.execute(_TABLES).scalar_one()
            if not self._there:
                raise ServiceAway("PostgreSQL: the sink has not made its tables yet")
            pending, oldest_s = connection.execute(_OUTBOX).one()
            letters, letters_oldest_s = connection.execute(_LETTERS).one()
            found = connection.execute(_TASKS).all()
            log = backlog(connection)
            failing = connection.execute(_HANDOVERS).scalar_one()
        return DatabaseGauges(
            outbox_pending=pending,
            outbox_oldest_s=oldest_s,
            tasks=tuple(RunningTasks(*row) for row in found),
            dead_letters_open=letters,
            dead_letters_oldest_s=letters_oldest_s,
            log_lines=log.lines,
            log_oldest_s=log.oldest_s,
            clock_waiting=waiting_for_the_clock(self._engine).count,
            handovers_failing=failing,
        )

    def read_slowly(self) -> SlowGauges:
        """The thorough look."""
        faults = Counter(str(finding.fault) for finding in follow_up_findings(self._engine))
        if self._policies is None:
            return SlowGauges(faults, 0)
        # What is asked of the database alone needs neither broker nor prefix.
        asked = Asked(SinkSettings(bootstrap="", database_url=""), self._policies)
        return SlowGauges(faults, len(overdue(self._engine, asked)))
