"""The diagrams of docs/follow-up.md, drawn from the tables that the rules go by.

In: the transitions of updates and of the clock. Out: mermaid between two marks of the page.
`python -m tests.docs.follow_up_diagrams` writes them anew.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from signaalwissel.processors.followup_clock import CLOCK_TRANSITIONS
from signaalwissel.processors.followup_updates import HANDED_OVER, TRANSITIONS
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskUpdateKind

PAGE = Path(__file__).parents[2] / "docs" / "follow-up.md"
BEGIN = "<!-- diagrams: python -m tests.docs.follow_up_diagrams -->"
END = "<!-- end of diagrams -->"


def drawn(page: str) -> str:
    """The page with its diagrams as the tables have them now."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{_diagrams()}{END}{after}"


def _diagrams() -> str:
    groups: defaultdict[str, list[TaskKind]] = defaultdict(list)
    for kind in TaskKind:
        groups[_diagram(kind)].append(kind)
    return "\n".join(f"{_title(kinds)}\n\n{diagram}" for diagram, kinds in groups.items())


def _title(kinds: Sequence[TaskKind]) -> str:
    return f"**{', '.join(kinds)}**"


def _diagram(kind: TaskKind) -> str:
    edges: defaultdict[tuple[TaskStatus, TaskStatus], list[str]] = defaultdict(list)
    for update, transition in TRANSITIONS[kind].items():
        for before, after in transition.items():
            edges[before, after].append(update.value)
    for before, after in HANDED_OVER.items():
        edges[before, after].append(f"{TaskUpdateKind.REASSIGNED.value} to a colleague")
    for step, transition in CLOCK_TRANSITIONS[kind].items():
        for before, after in transition.items():
            edges[before, after].append(f"time {step.value}")
    ends = sorted({after for _, after in edges} - {before for before, _ in edges})
    lines = [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {TaskStatus.OPEN}",
        *(f"    {before} --> {after}: {', '.join(labels)}" for (before, after), labels in edges.items()),
        *(f"    {end} --> [*]" for end in ends),
        "```",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
