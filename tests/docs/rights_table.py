"""The table of rights in docs/operations.md, from the rights themselves. Run: python -m tests.docs.rights_table."""

from collections.abc import Iterable
from pathlib import Path

from signaalwissel.processors.access_rights import Kind, Operation, Right, Role, every_topic, roles
from signaalwissel.processors.principals import Principals

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- rights: python -m tests.docs.rights_table -->", "<!-- end of rights -->"
_INPUTS = ("signals.<publisher>", "trajectories.<publisher>", "feedback.<publisher>")
_EVERY = "every topic"


def drawn(page: str) -> str:
    """The page with its table made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    """The table of an installation with one publisher."""
    rows = [_row(role) for role in roles(Principals(), _INPUTS)]
    head = "| role | principal | reads | writes | looks at | beside that |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows])


def _row(role: Role) -> str:
    topics = [right for right in role.rights if right.kind is Kind.TOPIC]
    other = {Operation.CREATE, Operation.ALTER_CONFIGS}
    cells = [
        f"{role.name.replace('<', '&lt;')}: {role.why}",
        ", ".join(f"`{principal}`" for principal in role.principals),
        _names(topics, {Operation.READ}),
        _names(topics, {Operation.WRITE}),
        "; ".join(
            f"{operation} {_names(topics, {operation})}"
            for operation in (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
            if _names(topics, {operation})
        ),
        "; ".join(
            [
                *(
                    f"{operation} {_names(topics, {operation})}"
                    for operation in sorted(other)
                    if _names(topics, {operation})
                ),
                *sorted(_beside(role.rights)),
            ]
        ),
    ]
    return "| " + " | ".join(cells) + " |"


def _names(rights: Iterable[Right], operations: set[Operation]) -> str:
    names = {right.name for right in rights if right.operation in operations}
    if names == set(every_topic(_INPUTS)):
        return _EVERY
    return ", ".join(f"`{name}`" for name in sorted(names))


def _beside(rights: Iterable[Right]) -> Iterable[str]:
    for right in rights:
        if right.kind is Kind.CLUSTER:
            yield f"{right.operation} the cluster"
        elif right.kind is not Kind.TOPIC:
            yield f"{right.operation} {right.kind} `{right.name}{'*' if right.begins else ''}`"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
