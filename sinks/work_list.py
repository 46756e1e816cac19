"""The work list: open tasks by urgency, one page at a time, however many there are.

Flows in: a connection that sees somebody's municipalities, whose tasks are wanted, where the page before ended. Flows
out: rows with what a list shows of a task and its signals; no personal data.

Each statement walks an index of migration 0009 in the order of the list, so a page costs as much as it is long.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, TextClause, text

COUNT_MAX = 1000
"""Nobody reads further than this, so nothing counts further."""

_OPEN = "status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')"
_PLACES = {
    "own": ("unnest(CAST(:municipalities AS text[])) AS mine (code)", "AND assignee = :assignee"),
    "team": (
        "unnest(CAST(:municipalities AS text[])) AS mine (code), unnest(CAST(:teams AS text[])) AS ours (team)",
        "AND tasks.team = ours.team",
    ),
    "all": ("unnest(CAST(:municipalities AS text[])) AS mine (code)", ""),
}
_SHOWN = "task_id, kind, status, municipality, trajectory_id, assignee, tasks.team, due_on, opened_on"


_PAGE_SQL = """
    SELECT found.* FROM {within} CROSS JOIN LATERAL (
        SELECT {shown} FROM tasks
        WHERE municipality = mine.code AND {open} {whose}
            AND (due_on, task_id) > (CAST(:due_on AS date), :task_id)
        ORDER BY due_on, task_id LIMIT :most
    ) AS found ORDER BY due_on, task_id LIMIT :most
    """
_COUNT_SQL = """
    SELECT count(*) FROM (
        SELECT FROM {within} CROSS JOIN LATERAL (
            SELECT FROM tasks WHERE municipality = mine.code AND {open} {whose} AND due_on <= :until LIMIT :most
        ) AS found LIMIT :most
    ) AS counted
    """


def _statement(sql: str, place: str) -> TextClause:
    """A statement for one way to look; its parts are constants of this module, what is asked for goes as parameters."""
    within, whose = _PLACES[place]
    for name, part in (("within", within), ("whose", whose), ("open", _OPEN), ("shown", _SHOWN)):
        sql = sql.replace("{" + name + "}", part)
    return text(sql)


_PAGE = {place: _statement(_PAGE_SQL, place) for place in _PLACES}
_COUNT = {place: _statement(_COUNT_SQL, place) for place in _PLACES}
_SIGNALS = text(
    """
    SELECT task_id, count(*) AS signals, sum(arrears_cents) AS arrears_cents, bool_or(crisis) AS crisis,
        array_agg(DISTINCT partner_kind) AS partner_kinds
    FROM task_signals WHERE task_id = ANY(:ids) AND NOT "left" GROUP BY task_id
    """
)
_TOLD = text("SELECT EXISTS (SELECT FROM task_updates WHERE update_id = :update_id)")


class After(NamedTuple):
    """Where a page begins: behind this task."""

    due_on: date
    task_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose tasks.

    Attributes:
        municipalities: In which; the connection sees no others anyway, but an index needs to be told.
        assignee: Only what this counsellor has.
        teams: Only what these teams answer for; with neither, everything.
        after: Where the page before ended.
        most: Rows of a page.
    """

    municipalities: Sequence[str]
    assignee: str | None = None
    teams: Sequence[str] | None = None
    after: After | None = None
    most: int = 25

    @property
    def place(self) -> str:
        """Which of the statements it takes."""
        if self.assignee is not None:
            return "own"
        return "all" if self.teams is None else "team"

    def parameters(self) -> dict[str, Any]:
        """As the statements take them."""
        return {
            "municipalities": list(self.municipalities),
            "assignee": self.assignee,
            "teams": list(self.teams or ()),
        }


@dataclass(frozen=True, slots=True)
class WorkRow:
    """An open task in a list; what its signals say is empty where it has none."""

    task_id: str
    kind: str
    status: str
    municipality: str
    trajectory_id: str | None
    assignee: str | None
    team: str
    due_on: date
    opened_on: date
    signals: int = 0
    arrears_cents: int = 0
    crisis: bool = False
    partner_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkPage:
    """A page of the list, and where the next one begins; None after the last."""

    rows: tuple[WorkRow, ...]
    after: After | None


@dataclass(frozen=True, slots=True)
class WorkCounts:
    """How many tasks are open, due today and late; COUNT_MAX stands for that many or more."""

    open: int
    today: int
    late: int


def work_page(connection: Connection, wanted: Wanted) -> WorkPage:
    """One page, the most urgent first."""
    after = wanted.after or After(date.min, "")
    found = connection.execute(
        _PAGE[wanted.place],
        {**wanted.parameters(), "due_on": after.due_on, "task_id": after.task_id, "most": wanted.most + 1},
    ).all()
    shown = found[: wanted.most]
    signals = {
        row.task_id: row for row in connection.execute(_SIGNALS, {"ids": [row.task_id for row in shown]})
    }
    rows = tuple(_row(row, signals.get(row.task_id)) for row in shown)
    more = len(found) > wanted.most
    return WorkPage(rows, After(rows[-1].due_on, rows[-1].task_id) if more else None)


def work_counts(connection: Connection, wanted: Wanted, today: date) -> WorkCounts:
    """How much there is to do."""

    def until(day: date) -> int:
        given = {**wanted.parameters(), "until": day, "most": COUNT_MAX}
        counted: int = connection.execute(_COUNT[wanted.place], given).scalar_one()
        return counted

    late = until(date.fromordinal(today.toordinal() - 1))
    return WorkCounts(open=until(date.max), today=until(today) - late, late=late)


def update_applied(connection: Connection, update_id: str) -> bool:
    """Whether the sink has applied a task update."""
    return bool(connection.execute(_TOLD, {"update_id": update_id}).scalar_one())


def _row(row: Row[Any], signals: Row[Any] | None) -> WorkRow:
    task = WorkRow(**row._asdict())
    if signals is None:
        return task
    return replace(
        task,
        signals=signals.signals,
        arrears_cents=int(signals.arrears_cents or 0),
        crisis=signals.crisis,
        partner_kinds=tuple(sorted(signals.partner_kinds)),
    )
