"""The product's output lines against the oracle's answers: readable problems out, none when all is right."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.oracle import intake
from tests.oracle.answers import History, history_of, outcomes_of
from tests.oracle.check_records import (
    Output,
    decision_problems,
    follow_up_problems,
    lacking,
    passed_on_problems,
    regular_problems,
    sid_of,
)
from tests.oracle.intake import Line
from tests.oracle.model import COUNSELLOR, Ledger, Refusal, Revision, Signal, SignalId

ROUTING_TOPICS = ("counsellor-followup", "regular-flow")
CORRECTION_TOPICS = ("counsellor-corrections", "regular-corrections")
Routings = dict[SignalId, list[Output]]


def check(lines: Sequence[Line], outputs: Sequence[Line]) -> list[str]:
    """Everything in `outputs` that is not what `lines` must give."""
    ledger = intake.run(lines)
    told = history_of(ledger)
    signals = {step.signal.id: step.signal for step in ledger.steps if step.signal is not None}
    by_topic, problems = _by_topic(outputs)
    problems += _oracle_agrees_with_itself(ledger, told)
    routings, wrong = _revisions_by_signal(by_topic.get("decisions", []), told)
    problems += wrong
    for name, expected in told.items():
        problems += _decisions(signals[name], expected, routings.get(name, []))
    problems += _first_routings(by_topic, told, signals, routings)
    problems += _corrections(by_topic, told, routings)
    problems += _one_voice_on_the_regular_side(by_topic)
    problems += _dead_letters(by_topic.get("dead-letters", []), ledger.refusals)
    return problems


def _by_topic(outputs: Sequence[Line]) -> tuple[dict[str, list[Output]], list[str]]:
    """The records per topic; those that lack a field of their schema are problems and stay out."""
    by_topic: dict[str, list[Output]] = {}
    problems: list[str] = []
    for line in outputs:
        topic, record = line["topic"], line["value"]
        missing = (
            lacking(topic, record) if topic in (*ROUTING_TOPICS, *CORRECTION_TOPICS, "decisions") else []
        )
        if not missing and isinstance(record.get("to"), dict):
            missing = lacking("regular-flow", record["to"])
        if missing:
            problems.append(f"{topic}: {record.get('signal_id')} lacks {missing}")
        else:
            by_topic.setdefault(topic, []).append(record)
    return by_topic, problems


def _oracle_agrees_with_itself(ledger: Ledger, told: History) -> Iterator[str]:
    """The last revision is the final answer: what the horizon rule promises."""
    for name, outcome in outcomes_of(ledger).items():
        last = told[name][-1].outcome
        if last.routing != outcome.routing:
            yield f"oracle: {name} ends as {last.routing} but all records together make {outcome.routing}"


def _revisions_by_signal(decisions: list[Output], told: History) -> tuple[Routings, list[str]]:
    problems: list[str] = []
    routings: Routings = {}
    for decision in decisions:
        name = sid_of(decision)
        if name not in told:
            problems.append(f"decisions: {name} is no accepted signal")
        routings.setdefault(name, []).append(decision)
    for name, own in routings.items():
        numbers = [decision["revision"] for decision in own]
        if numbers != list(range(len(own))):
            problems.append(f"decisions: {name} has revisions {numbers}, not 0, 1, 2 ... in that order")
    problems += _repeated("decisions", "routing_id", decisions)
    return routings, problems


def _repeated(topic: str, name: str, records: Sequence[Output]) -> list[str]:
    counts = Counter(record[name] for record in records)
    return [
        f"{topic}: {name} {value} stands on {count} records" for value, count in counts.items() if count > 1
    ]


def _decisions(signal: Signal, expected: list[Revision], own: list[Output]) -> Iterator[str]:
    given = [
        (one["route"], _counsellors_trajectory(one), one["reason"] == "ADDRESS_ONLY_MATCH") for one in own
    ]
    wanted = [one.outcome.routing for one in expected]
    if given != wanted:
        yield f"decisions: {signal.id} says {given}; must say {wanted} (lines {[e.line for e in expected]})"
        return
    previous: Output | None = None
    for revision, decision in zip(expected, own, strict=True):
        where = f"decisions: {signal.id} revision {decision['revision']}"
        yield from (f"{where}: {text}" for text in decision_problems(signal, revision, decision, previous))
        previous = decision


def _counsellors_trajectory(decision: Output) -> str | None:
    trajectory_id: str | None = decision.get("trajectory_id")
    return trajectory_id if decision["route"] == COUNSELLOR else None


def _first_routings(
    by_topic: dict[str, list[Output]], told: History, signals: dict[SignalId, Signal], routings: Routings
) -> Iterator[str]:
    seen: Counter[SignalId] = Counter()
    for topic in ROUTING_TOPICS:
        for record in by_topic.get(topic, []):
            name = sid_of(record)
            seen[name] += 1
            if name not in told:
                yield f"{topic}: {name} is no accepted signal"
                continue
            first = told[name][0].outcome
            where = f"{topic}: {name}"
            if (first.route == COUNSELLOR) != (topic == "counsellor-followup"):
                yield f"{where}: belongs on the other topic, its first route is {first.route}"
            if record["revision"] != 0:
                yield f"{where}: revision {record['revision']} on a routing topic"
            decided = routings.get(name, [{}])[0].get("routing_id")
            if record["routing_id"] != decided:
                yield f"{where}: routing_id is not that of the decision"
            yield from (f"{where}: {text}" for text in passed_on_problems(signals[name], record))
            texts = (
                follow_up_problems(first, record) if first.route == COUNSELLOR else regular_problems(record)
            )
            yield from (f"{where}: {text}" for text in texts)
    for name in told:
        if seen[name] != 1:
            yield f"{name}: {seen[name]} records with revision 0 on the two routing topics, must be 1"


def _corrections(by_topic: dict[str, list[Output]], told: History, routings: Routings) -> Iterator[str]:
    given: dict[tuple[Any, ...], list[Output]] = {}
    for topic in CORRECTION_TOPICS:
        yield from _repeated(topic, "correction_id", by_topic.get(topic, []))
        for record in by_topic.get(topic, []):
            given.setdefault((topic, record["from_routing_id"], record["action"]), []).append(record)
    for name, revisions in told.items():
        own = routings.get(name, [])
        # A revision that is missing on decisions was told there.
        for number in range(1, min(len(revisions), len(own))):
            before, after = revisions[number - 1].outcome, revisions[number].outcome
            for topic, action in expected_corrections(before.routing, after.routing):
                where = f"{topic}: {name} revision {number} {action}"
                records = given.pop((topic, own[number - 1]["routing_id"], action), [])
                yield from (
                    f"{where}: {text}" for text in _half(topic, revisions[number], records, own[number])
                )
    for (topic, routing_id, action), records in given.items():
        for record in records:
            who = (record["municipality"], record["partner"]["partner_id"], record["signal_id"])
            yield f"{topic}: {who} {action} of {routing_id} (revision {record['revision']}) must not be there"


def _half(topic: str, revision: Revision, records: list[Output], decision: Output) -> Iterator[str]:
    if len(records) != 1:
        yield f"{len(records)} records, must be 1"
    for record in records:
        yield from _correction_problems(topic, revision, record, decision)


def expected_corrections(
    before: tuple[str, str | None, bool], after: tuple[str, str | None, bool]
) -> list[tuple[str, str]]:
    """Topic and action of every correction that a change of route or trajectory needs: each audience its own half."""
    if before[:2] == after[:2]:
        return []
    theirs, new = (CORRECTION_TOPICS[0 if routing[0] == COUNSELLOR else 1] for routing in (before, after))
    return [(theirs, "WITHDRAWN"), (new, "MOVED")]


def _correction_problems(topic: str, revision: Revision, record: Output, decision: Output) -> Iterator[str]:
    for field in ("municipality", "partner", "signal_id", "revision"):
        if record[field] != decision[field]:
            yield f"{field} is {record[field]!r}, the decision's is {decision[field]!r}"
    erasing = revision.caused_by is not None and revision.caused_by["kind"] == "ERASED"
    causes: tuple[str | None, ...] = ("LIFECYCLE", "ERASED") if erasing else ("LIFECYCLE",)
    if topic == "regular-corrections":
        causes = (None,)
    if record.get("cause") not in causes:
        yield f"cause is {record.get('cause')!r}, must be one of {causes}"
    to = record.get("to")
    if record["action"] == "WITHDRAWN":
        if to is not None:
            yield "WITHDRAWN carries a new routing"
    elif to is None:
        yield "MOVED without the new routing"
    else:
        if to["routing_id"] != decision["routing_id"] or to["revision"] != decision["revision"]:
            yield "the new routing is not that of the decision"
        if topic == "regular-corrections":
            yield from regular_problems(to)
        else:
            yield from follow_up_problems(revision.outcome, to)


def _one_voice_on_the_regular_side(by_topic: dict[str, list[Output]]) -> Iterator[str]:
    moved = [record["to"] for record in by_topic.get("regular-corrections", []) if record.get("to")]
    texts = Counter(record["explanation"] for record in by_topic.get("regular-flow", []) + moved)
    if len(texts) > 1:
        yield f"regular side: {len(texts)} different explanations, must be one for every record"


def _dead_letters(given: list[Output], refusals: list[Refusal]) -> Iterator[str]:
    unmatched = list(given)
    by_id: dict[tuple[str, str | None], list[Output]] = {}
    for letter in given:
        by_id.setdefault((letter["topic"], _record_id(letter)), []).append(letter)
    for refusal in refusals:
        for record_id in (refusal.record_id, None):
            found = _first(
                by_id.get((refusal.topic, record_id), []), lambda one, r=refusal: _is_about(one, r)
            )
            if found is not None:
                by_id[refusal.topic, record_id].remove(found)
                unmatched.remove(found)
                break
        else:
            yield (
                f"dead-letters: line {refusal.line} ({refusal.topic} {refusal.record_id}) must be there "
                f"with one of {refusal.defects}"
            )
    for letter in unmatched:
        yield (
            f"dead-letters: {letter['topic']} {_record_id(letter)} {letter['code']} {letter.get('field')} "
            "must not be there"
        )


def _first(letters: list[Output], fits: Callable[[Output], bool]) -> Output | None:
    return next((letter for letter in letters if fits(letter)), None)


def _record_id(letter: Output) -> str | None:
    found: str | None = letter.get("record_id") or letter.get("signal_id") or letter.get("event_id")
    return found


def _is_about(letter: Output, refusal: Refusal) -> bool:
    """The code must be one of the defects', and the field where the oracle knows it (within a client: either spelling)."""
    return any(
        letter["code"] == code and (field is None or _same_field(letter.get("field"), field))
        for code, field in refusal.defects
    )


def _same_field(given: str | None, field: str) -> bool:
    if given is None:
        return False
    plain, wanted = (
        "".join(c for c in name if not c.isdigit() and c not in "[]").replace("..", ".")
        for name in (given, field)
    )
    return plain == wanted or (wanted in ("subject", "clients") and plain.startswith(wanted + "."))
