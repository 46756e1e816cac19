"""The invariants of the matrix, each asked of what was read: problems in words out, and the figures of the summary.

In: the load of a row with the oracle's answers, the books, the database. Out: a verdict.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, text

from tests.faults.books import Books, Delivery
from tests.faults.load import Expected, Load
from tests.faults.tables import wrong_deliveries, wrong_recents, wrong_trajectories
from tests.oracle.model import COUNSELLOR, REGULAR

_SHOWN = 3
_NINE_DIGITS = re.compile(r"(?<!\d)\d{9}(?!\d)")
_STORED = text(
    "SELECT routing_id, revision, route, trajectory_id FROM decisions WHERE municipality = ANY(:whose)"
)
_ON_TASKS = text(
    "SELECT s.signal_ref, t.trajectory_id FROM task_signals s JOIN tasks t USING (task_id) "
    "WHERE t.municipality = ANY(:whose) AND t.kind = 'CONTACT_ON_RELAPSE' AND NOT s.left"
)
_LETTERS = text("SELECT count(*) FROM dead_letters WHERE municipality = ANY(:whose)")


@dataclass
class Verdict:
    """What is wrong; nothing where all three counts are 0 and there are no problems."""

    signals: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong_state: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def green(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong_state or self.problems)

    def note(self, kind: str, what: str, found: list[object]) -> None:
        """Count what was found under `lost`, `duplicated` or `wrong_state`, and tell a few of them."""
        if found:
            setattr(self, kind, getattr(self, kind) + len(found))
            shown = ", ".join(map(str, found[:_SHOWN]))
            self.problems.append(f"{what}: {len(found)}, such as {shown}")


@dataclass
class _Stored:
    """What the database says of a load."""

    routing_ids: set[str] = field(default_factory=set)
    last: dict[bytes, tuple[int, str, str | None]] = field(default_factory=dict)
    on_task: dict[bytes, str | None] = field(default_factory=dict)
    on_tasks_twice: list[object] = field(default_factory=list)
    letters: int = 0


def judge(load: Load, books: Books, engine: Engine, *, resent: bool = False) -> Verdict:
    """Everything that is wrong with what became of a load.

    Args:
        load: What was sent, and what must become of it.
        books: What the topics say.
        engine: The database.
        resent: Whether lines went twice, as they may after a broker that took them and did not say so.
    """
    verdict = Verdict(signals=load.signals)
    stored = _stored(load, engine)
    mine = {
        ref: one
        for ref, one in books.deliveries.items()
        if one.municipality in load.municipalities and ref not in load.erased
    }
    _routed_once(verdict, load, mine, stored)
    _ends_right(verdict, load, mine, stored)
    _audited(verdict, books, mine, stored)
    _letters(verdict, load, books, stored, resent=resent)
    _tables(verdict, load, books, mine)
    _tasks(verdict, books)
    seen = sorted(books.digits & load.bsns)
    verdict.note(
        "wrong_state", "I6 citizen service numbers in keys, headers or dead letters", [len(seen)] * len(seen)
    )
    return verdict


def _stored(load: Load, engine: Engine) -> _Stored:
    found, whose = _Stored(), {"whose": sorted(load.municipalities)}
    with engine.connect() as connection:
        for routing_id, revision, route, trajectory_id in connection.execute(_STORED, whose):
            found.routing_ids.add(routing_id)
            ref = bytes.fromhex(routing_id.split("-")[0])
            if ref in load.erased:
                found.routing_ids.remove(routing_id)
            elif ref not in found.last or found.last[ref][0] < revision:
                found.last[ref] = (revision, route, trajectory_id if route == COUNSELLOR else None)
        for ref, trajectory_id in connection.execute(_ON_TASKS, whose):
            if bytes(ref) in found.on_task:
                found.on_tasks_twice.append(bytes(ref).hex())
            found.on_task[bytes(ref)] = trajectory_id
        found.letters = connection.execute(_LETTERS, whose).scalar_one()
    return found


def _routed_once(verdict: Verdict, load: Load, mine: dict[bytes, Delivery], stored: _Stored) -> None:
    """I1 and I2: each accepted delivery is routed, decided and stored, once; nothing else is."""
    lost = [
        ref.hex()
        for ref in load.expected
        if ref not in mine or not mine[ref].first or not mine[ref].revisions or ref not in stored.last
    ]
    verdict.note("lost", "I1 accepted and not routed, decided and stored", [*lost])
    twice = [ref.hex() for ref, one in mine.items() for _ in range(one.first - 1)]
    verdict.note("duplicated", "I2 routed more than once", [*twice])
    verdict.note(
        "duplicated", "I1 routed and never accepted", [ref.hex() for ref in mine if ref not in load.expected]
    )
    torn = [
        ref.hex() for ref, one in mine.items() if sorted(one.revisions) != list(range(len(one.revisions)))
    ]
    verdict.note("duplicated", "I2 revisions with a gap or twice", [*torn])


def _ends_right(verdict: Verdict, load: Load, mine: dict[bytes, Delivery], stored: _Stored) -> None:
    """I3 and I4: topics, both audiences and database end where the oracle does; a task for each hit and for no other."""

    def differing(given: "dict[bytes, tuple[str, str | None]]") -> list[object]:
        return [ref.hex() for ref, right in load.expected.items() if ref in given and given[ref] != right]

    decided = {ref: _route(one.route, one.trajectory_id) for ref, one in mine.items() if one.revisions}
    verdict.note("wrong_state", "I3 decided otherwise than by the oracle", differing(decided))
    held = {ref: _held(one) for ref, one in mine.items() if one.first}
    verdict.note("wrong_state", "I3 held by another audience than the oracle's", differing(held))
    kept = {ref: (route, trajectory) for ref, (_, route, trajectory) in stored.last.items()}
    verdict.note("wrong_state", "I3 stored otherwise than by the oracle", differing(kept))
    hits = {
        ref: right.trajectory_id for ref, right in load.expected.items() if right.trajectory_id is not None
    }
    lacking = [ref.hex() for ref, trajectory in hits.items() if stored.on_task.get(ref) != trajectory]
    verdict.note("wrong_state", "I4 hits without a task of their trajectory", [*lacking])
    against = [ref.hex() for ref in stored.on_task if ref in load.expected and ref not in hits]
    verdict.note("wrong_state", "I4 follow-up against the facts", [*against])
    verdict.note("duplicated", "I2 on two relapse tasks", stored.on_tasks_twice)


def _route(route: str, trajectory_id: str | None) -> Expected:
    return Expected(route, trajectory_id if route == COUNSELLOR else None)


def _held(one: Delivery) -> "tuple[str, str | None]":
    if one.regular and one.counsellor is not None:
        return "BOTH", one.counsellor
    if one.regular:
        return REGULAR, None
    return (COUNSELLOR, one.counsellor) if one.counsellor is not None else ("NOBODY", None)


def _audited(verdict: Verdict, books: Books, mine: dict[bytes, Delivery], stored: _Stored) -> None:
    """I7: the audit rows are the effects, one for one."""
    told = {f"{ref.hex()}-{number}" for ref, one in mine.items() for number in one.revisions}
    verdict.note("lost", "I7 revisions without an audit row", [*(told - stored.routing_ids)])
    verdict.note("duplicated", "I7 audit rows of nothing", [*(stored.routing_ids - told)])
    repeated = [f"{kind} {name}" for (kind, name), count in books.ids.items() if count > 1]
    verdict.note("duplicated", "I2 ids that stand on a topic twice", [*repeated])


def _letters(verdict: Verdict, load: Load, books: Books, stored: _Stored, *, resent: bool) -> None:
    """I8: what came in is routed, refused or the same again; every refusal is a dead letter, on topic and in database."""
    found = Counter({one: n for one, n in books.letters.items() if one[0] in load.municipalities})
    # Without a municipality nobody can tell whose it was: another load may have one of the same name.
    nameless = Counter({one: n for one, n in books.letters.items() if one[0] is None})
    wanted = load.letters
    verdict.note("lost", "I8 refused without a dead letter", [*(wanted - found - nameless).elements()])
    extra = [one for one in (found - wanted).elements() if not (resent and one in wanted)]
    verdict.note("duplicated", "I8 dead letters of what was not refused", [*extra])
    missing = found.total() - stored.letters
    verdict.note("lost", "I8 dead letters on the topic and not in the database", [missing] * bool(missing))
    if len(load.expected) + load.ignored + load.refused != load.signals:
        verdict.problems.append("I8 the oracle itself does not account for every signal")


def _tables(verdict: Verdict, load: Load, books: Books, mine: dict[bytes, Delivery]) -> None:
    """I3 for the tables of intake and matcher, by their changelogs: no entry went back, ahead, away, or came again."""
    revisions = {ref: max(one.revisions) for ref, one in mine.items() if one.revisions}
    verdict.note("wrong_state", "I3 recent signals of the matcher", [*wrong_recents(load, books, revisions)])
    verdict.note("wrong_state", "I3 trajectories of intake and matcher", [*wrong_trajectories(load, books)])
    verdict.note("wrong_state", "I3 deliveries that intake keeps", [*wrong_deliveries(load, books)])


def _tasks(verdict: Verdict, books: Books) -> None:
    """I2 on the wire: a task's version has one id and one content however often it is sent; versions come in order."""
    two = [f"{task} version {version}" for (task, version), told in books.tasks.items() if len(told) > 1]
    verdict.note("duplicated", "I2 versions of a task that say two things", [*two])
    for task, versions in books.task_versions.items():
        firsts = list(dict.fromkeys(versions))
        if firsts != sorted(firsts):
            verdict.note("wrong_state", "I2 versions of a task out of order", [f"{task} {firsts}"])


def numbers_in(files: Iterator[Path], bsns: frozenset[str]) -> list[str]:
    """I6: the logs in which a citizen service number stands."""
    return [
        file.name
        for file in files
        if bsns & set(_NINE_DIGITS.findall(file.read_text(encoding="utf-8", errors="replace")))
    ]
