"""How a trajectory stands on a day and what happened in it, in words.

In: its facts and tasks, the policy. Out: lines for the page. Nobody but positions (cliënt 1, cliënt 2) is named.
"""

from dataclasses import dataclass
from datetime import date

from signaalwissel.console.webpages import words
from signaalwissel.console.webpages.formats import day as in_words
from signaalwissel.processors.amsterdam import add_months, amsterdam_day
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.periods import Period
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.trajectory import Client, Trajectory, fold
from signaalwissel.schemas.internal import Fact
from signaalwissel.sinks.web_reads import Dossier

_REPEATED = frozenset({"REMINDED"})


@dataclass(frozen=True)
class Standing:
    """One thing about a trajectory that holds today; `mark` is good, attention or neutral."""

    heading: str
    text: str
    mark: str = "neutral"


@dataclass(frozen=True)
class Happening:
    """One point of the timeline; `kind` is fact, task or window."""

    on: date
    text: str
    note: str
    kind: str
    task_id: str | None = None


def standings(dossier: Dossier, policy: Policy, today: date) -> tuple[Standing, ...]:
    """How the trajectory stands, client by client, and its aftercare and services."""
    trajectory = _folded(dossier)
    if trajectory is None:
        return (Standing("Stand", "Van dit traject is nog geen geldige stand bekend.", "attention"),)
    several = len(trajectory.clients) > 1
    found = [
        _of_client(client, f"Cliënt {n}" if several else "Traject", policy, today)
        for n, client in enumerate(trajectory.clients, 1)
    ]
    found += [
        Standing("Nazorg", _lasting(period), "good" if _runs(period, today) else "neutral")
        for period in trajectory.aftercare
    ]
    found += [Standing("Volgen", _lasting(period)) for period in trajectory.monitoring]
    found += [Standing("Andere dienst", _lasting(period)) for period in trajectory.services]
    return tuple(found)


def happenings(dossier: Dossier, policy: Policy) -> tuple[Happening, ...]:
    """Everything that happened, the latest first."""
    found = [] if dossier.state is None else [_of_fact(fact) for fact in dossier.state.facts]
    trajectory = _folded(dossier)
    if trajectory is not None:
        for client in trajectory.clients:
            for period in client.running:
                ends_on = _window_end(period, policy)
                if ends_on is not None:
                    note = "Tot en met deze dag telt een nieuwe achterstand als terugval."
                    found.append(Happening(ends_on, "Einde van de terugvalperiode", note, "window"))
    for task in dossier.tasks:
        found.extend(_of_task(task))
    # Of one day the later fact stands above the earlier one too.
    shown = list(dict.fromkeys(found))[::-1]
    return tuple(sorted(shown, key=lambda one: one.on, reverse=True))


def _folded(dossier: Dossier) -> Trajectory | None:
    state = dossier.state
    return None if state is None else fold(state.trajectory_id, state.facts)


def _of_client(client: Client, heading: str, policy: Policy, today: date) -> Standing:
    if any(_runs(period, today) for period in client.objections):
        return Standing(heading, "De inwoner heeft bezwaar gemaakt. Signalen gaan niet naar u.", "attention")
    last = max(client.running, key=lambda period: period.begin, default=None)
    if last is None:
        return Standing(heading, "Nog niet begonnen.")
    if last.end is None or last.end > today:
        return Standing(heading, f"Loopt sinds {in_words(last.begin)}.", "good")
    why = "afgewezen" if last.exit_reason is None else words.EXITS[last.exit_reason]
    ended = f"Gestopt op {in_words(last.end)}: {why}."
    window = _window_end(last, policy)
    if window is None:
        return Standing(heading, f"{ended} Een nieuwe achterstand telt niet als terugval.")
    if today <= window:
        return Standing(
            heading,
            f"{ended} Een nieuwe achterstand telt als terugval tot en met {in_words(window)}.",
            "attention",
        )
    return Standing(heading, f"{ended} De terugvalperiode eindigde op {in_words(window)}.")


def _window_end(period: Period, policy: Policy) -> date | None:
    if period.end is None or period.exit_reason not in policy.window.reasons_that_count:
        return None
    return add_months(period.end, policy.window.months)


def _runs(period: Period, today: date) -> bool:
    return period.begin <= today and (period.end is None or today <= period.end)


def _lasting(period: Period) -> str:
    if period.end is None:
        return f"Loopt sinds {in_words(period.begin)}."
    return f"Van {in_words(period.begin)} tot en met {in_words(period.end)}."


def _of_fact(fact: Fact) -> Happening:
    notes = []
    if fact.exit_reason is not None:
        notes.append(words.EXITS[fact.exit_reason])
    if fact.service is not None:
        notes.append(words.SERVICES[fact.service])
    if fact.counsellor is not None:
        notes.append(f"{fact.counsellor.counsellor_id}, {fact.counsellor.team}")
    return Happening(fact.occurred_on, words.FACTS[fact.kind], "; ".join(notes), "fact")


def _of_task(task: Task) -> list[Happening]:
    found = []
    for step in task.history:
        if str(step.what) in _REPEATED:
            continue
        on = amsterdam_day(step.at)
        found.append(Happening(on, words.TASK_KINDS[task.kind], step.note or "", "task", task.task_id))
    return found
