"""State diagrams as tables: a browser would have to fetch a program from elsewhere to draw them, and a table is read aloud."""

import re

_DIAGRAM = re.compile(r"^```mermaid\nstateDiagram-v2\n(?P<edges>.*?)^```$", re.DOTALL | re.MULTILINE)
_EDGE = re.compile(r"^ *(?P<before>\[\*\]|\w+) --> (?P<after>\[\*\]|\w+)(?:: (?P<by>.+))?$", re.MULTILINE)
_ENDS = "[*]"


def as_tables(markdown: str) -> str:
    """The page with a table in the place of each state diagram."""
    return _DIAGRAM.sub(lambda diagram: _table(diagram["edges"]), markdown)


def _table(edges: str) -> str:
    found = list(_EDGE.finditer(edges))
    last = ", ".join(edge["before"] for edge in found if edge["after"] == _ENDS)
    first = ", ".join(edge["after"] for edge in found if edge["before"] == _ENDS)
    rows = [
        f"| {edge['before']} | {edge['after']} | {edge['by'] or ''} |"
        for edge in found
        if _ENDS not in {edge["before"], edge["after"]}
    ]
    begin = f"Begins as {first}." + (f" Ends as {last}." if last else "")
    return "\n".join([begin, "", "| from | to | by |", "|---|---|---|", *rows])
