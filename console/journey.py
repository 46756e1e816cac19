"""`signal show`: the whole journey of a signal, from receipt to the last step of its tasks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.tree import Tree
from signaalwissel.console import environment
from signaalwissel.console.accounting import Accounting, Done
from signaalwissel.console.connections import database
from signaalwissel.console.dead_letters_shown import as_plain as dead_letter_as_plain
from signaalwissel.console.failures import Exit
from signaalwissel.console.lines import dump
from signaalwissel.console.screen import euros, instant, moment, screen
from signaalwissel.console.settings import Settings
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.processing_lines import subject_of_signal, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.dead_letters import DeadLetterRow
from signaalwissel.sinks.journey import DecisionRow, DeliveryJourney, SignalJourney, signal_journey
from signaalwissel.sinks.ledger import EventKind

signal = typer.Typer(help="The journey of a signal.", no_args_is_help=True)

_DAYS = ("reference_date", "last_day", "arrears_since", "signalled_on", "window_ends_on")


@signal.callback()
def _signal() -> None:
    """The journey of a signal."""


@signal.command()
def show(
    signal_id: Annotated[str, typer.Argument(metavar="ID", help="The partner's number of the signal.")],
    municipality: Annotated[
        str | None, typer.Option(help="Four digits; every municipality otherwise.")
    ] = None,
    partner: Annotated[str | None, typer.Option(help="Only deliveries of this partner id.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what was decided about a signal and why, what was corrected, its tasks, and what was refused.

    Partners number on their own, so several deliveries may carry the same number: all are shown, without personal
    data. Ends with 1 when nothing is known. That it was looked at goes into the processing log and the audit trail.

    Example: signaalwissel signal show W-2026-0001 --municipality 0344
    """
    settings = environment.settings()
    with database(settings) as engine:
        journey = signal_journey(engine, municipality, signal_id)
    if partner is not None:
        mine = tuple(delivery for delivery in journey.deliveries if delivery.partner_id == partner)
        # What was refused tells no partner, so it may be this one's.
        journey = replace(journey, deliveries=mine)
    _account(settings, signal_id, journey)
    known = bool(journey.deliveries or journey.dead_letters)
    if as_json:
        print(dump(as_plain(signal_id, journey)))
    elif known:
        screen().print(_tree(signal_id, journey))
    else:
        where = "" if municipality is None else f" in municipality {municipality}"
        typer.echo(f"nothing is known of signal {signal_id}{where}", err=True)
    raise typer.Exit(Exit.DONE if known else Exit.FINDINGS)


def _account(settings: Settings, signal_id: str, journey: SignalJourney) -> None:
    # Before anything is shown: what is not on record is not seen.
    accounting = Accounting(settings)
    for delivery in journey.deliveries:
        received_at = millis_of(delivery.received_at)
        ref = signal_ref(delivery.municipality, delivery.partner_id, signal_id, received_at)
        accounting.account(
            Done(
                Purpose.RECORD_CONSULTED,
                EventKind.RECORD_CONSULTED,
                about=f"signal {ref.hex()}",
                municipality=delivery.municipality,
                trace_id=trace_from(ref.hex()),
                subject=subject_of_signal(ref),
            )
        )


def as_plain(signal_id: str, journey: SignalJourney) -> dict[str, Any]:
    """A journey as JSON has it: pseudonyms and seals stay behind."""
    return {
        "signal_id": signal_id,
        "deliveries": [_plain_delivery(delivery) for delivery in journey.deliveries],
        "refusals": [dead_letter_as_plain(letter) for letter in journey.dead_letters],
    }


def _plain_delivery(delivery: DeliveryJourney) -> dict[str, Any]:
    return {
        "municipality": delivery.municipality,
        "partner_id": delivery.partner_id,
        "partner_kind": delivery.partner_kind,
        "received_at": instant(delivery.received_at),
        "number_used_again": delivery.number_used_again,
        "decisions": [_plain_decision(decision) for decision in delivery.decisions],
        "tasks": [_plain_task(task) for task in delivery.tasks],
    }


def _plain_decision(decision: DecisionRow) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(decision, name) for name in DecisionRow.__slots__}
    plain["decided_at"] = instant(decision.decided_at)
    plain["candidates"] = [candidate._asdict() for candidate in decision.candidates]
    for name in _DAYS:
        plain[name] = None if plain[name] is None else plain[name].isoformat()
    return plain


def _plain_task(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "version": task.version,
        "kind": task.kind.value,
        "status": task.status.value,
        "municipality": task.municipality,
        "trajectory_id": task.trajectory_id,
        "assignee": task.assignee,
        "team": task.team,
        "due_on": task.due_on.isoformat(),
        "candidates": [candidate._asdict() for candidate in task.candidates],
        "signals": [
            {
                "partner_id": report.partner_id,
                "signal_id": report.signal_id,
                "received_at": instant(report.received_at),
                "routing_id": report.routing_id,
                "repeated": report.repeated,
                "left": report.left,
            }
            for report in task.reports
        ],
        "history": [step._asdict() | {"at": instant(step.at)} for step in task.history],
    }


def _tree(signal_id: str, journey: SignalJourney) -> Tree:
    tree = Tree(f"Signal {signal_id}")
    for delivery in journey.deliveries:
        branch = tree.add(
            f"{moment(delivery.received_at)}  received by {delivery.municipality}"
            f" from {delivery.partner_id} ({delivery.partner_kind})"
        )
        if delivery.number_used_again:
            branch.add("the partner used this number for an earlier signal too")
        for decision in delivery.decisions:
            leaf = branch.add(_headline(decision))
            for text in _details(decision):
                leaf.add(text)
        for task in delivery.tasks:
            _add_task(branch, task)
    for letter in journey.dead_letters:
        tree.add(_refusal(letter))
    return tree


def _headline(decision: DecisionRow) -> str:
    what = f"{decision.route}: {decision.reason or 'erased'}"
    if decision.revision:
        what = f"corrected to {what} ({decision.action or 'only the reason'}, {decision.cause or 'no cause'})"
    return f"{moment(decision.decided_at)}  revision {decision.revision}  {what}"


def _details(decision: DecisionRow) -> Iterator[str]:
    if decision.explanation:
        yield decision.explanation
    if decision.trajectory_id is not None:
        yield _trajectory(decision)
    for candidate in decision.candidates:
        yield f"perhaps trajectory {candidate.trajectory_id}, client {candidate.client}"
    if decision.arrears_cents is not None:
        since = "" if decision.arrears_since is None else f" since {decision.arrears_since}"
        crisis = ", crisis" if decision.crisis else ""
        yield f"arrears {euros(decision.arrears_cents)}{since}{crisis}"
    if decision.caused_by_event_id is not None:
        yield f"caused by {decision.caused_by_event_id}"
    yield f"judged for {decision.reference_date or decision.last_day} under policy {decision.policy_version}"


def _trajectory(decision: DecisionRow) -> str:
    texts = [f"trajectory {decision.trajectory_id}"]
    for label, value in (
        ("", decision.trajectory_state),
        ("client ", decision.client),
        ("matched by ", decision.matched_by),
        ("counsellor ", decision.counsellor_id),
        ("team ", decision.team),
        ("window ends on ", decision.window_ends_on),
        ("debt ", decision.debt_timing),
    ):
        if value is not None:
            texts.append(f"{label}{value}")
    return ", ".join(texts)


def _add_task(branch: Tree, task: Task) -> None:
    owner = f"counsellor {task.assignee}, team {task.team}" if task.assignee else f"team {task.team}"
    leaf = branch.add(f"task {task.task_id}: {task.kind}, {task.status}, due on {task.due_on}, {owner}")
    for step in task.history:
        who = "" if step.by is None else f" by {step.by}"
        note = "" if step.note is None else f": {step.note}"
        leaf.add(f"{moment(step.at)}  {step.what}{who}{note}")


def _refusal(letter: DeadLetterRow) -> str:
    return (
        f"{moment(letter.timestamp)}  refused on {letter.topic}: {letter.code}, {letter.field or 'record'}:"
        f" {letter.rule} (dead letter {letter.dead_letter_id}, {letter.status})"
    )
