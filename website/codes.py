"""The reference of codes: why a signal went where it went, why a record was refused, what a command ended with."""

from signaalwissel.console.failures import Exit
from signaalwissel.processors.explanations import explain
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.schemas.routing import TrueReason

from website.words import linked_from, rows

COUNSELLOR = {
    TrueReason.RUNNING_TRAJECTORY,
    TrueReason.OPEN_AFTERCARE,
    TrueReason.OPEN_SERVICE,
    TrueReason.COMPLETED_WITHIN_WINDOW,
}
"""The reasons of a hit (docs/rules.md 8.6)."""


def page() -> str:
    """Every code."""
    reasons = [
        f"| `{one}` | {'the counsellor' if one in COUNSELLOR else 'the regular flow'} | {explain(one)} |"
        for one in TrueReason
    ]
    refusals = [f"| `{code}` | {words} |" for code, words in refused().items()]
    exits = [f"| {code} | `{Exit(int(code)).name}` | {words} |" for code, words in ended().items()]
    return "\n".join(
        [
            _HEAD,
            "| reason | goes to | what the reader is told |",
            "|---|---|---|",
            *reasons,
            _REFUSED,
            "| code | what |",
            "|---|---|",
            *refusals,
            _ENDED,
            "| code | | what |",
            "|---|---|---|",
            *exits,
            _MORE,
        ]
    )


def refused() -> dict[str, str]:
    """What docs/rules.md says of the codes of dead letters."""
    found = {cells[0]: linked_from("rules.md", cells[1]) for cells in rows("rules.md", "## Dead letters")}
    return {
        code: words for code, words in found.items() if code.isupper() and code.replace("_", "").isalpha()
    }


def ended() -> dict[str, str]:
    """What docs/operations.md says of exit codes."""
    found = {cells[0]: cells[1] for cells in rows("operations.md", "## Logs and exit codes")}
    return {code: linked_from("operations.md", words) for code, words in found.items() if code.isdigit()}


def codes() -> set[str]:
    """The codes that a record can be refused with."""
    return {code.value for code in RejectionCode}


_HEAD = """# Codes

## Reasons

Why a signal went where it went: `reason` of a decision. Whoever reads the regular flow reads `NO_HIT` and the same sentence
for every signal, whatever the reason is. [The rules](../rules.md#86-precedence) say which one counts.
"""
_REFUSED = """
## Refusals

Why a record became a [dead letter](../rules.md#dead-letters).
"""
_ENDED = """
## Exit codes
"""
_MORE = """
What a message of a process or a command means, and what to do: [operations](../operations.md#what-a-message-means). The
answers of the gateway: [statuses](../gateway.md#answers).
"""
