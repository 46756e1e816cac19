"""What `doctor` finds: one line per thing that was looked at."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Something that was looked at.

    Attributes:
        check: What was looked at.
        ok: Whether it is as it must be.
        detail: What was found, without personal data.
        fix: What to do where it is not.
        away: Whether a service does not answer.
    """

    check: str
    ok: bool
    detail: str
    fix: str | None = None
    away: bool = False


def fine(check: str, detail: str) -> Finding:
    """Something is as it must be."""
    return Finding(check, ok=True, detail=detail)


def wrong(check: str, detail: str, fix: str) -> Finding:
    """Something is not as it must be, and what to do about it."""
    return Finding(check, ok=False, detail=detail, fix=fix)


def away(check: str, detail: str, fix: str) -> Finding:
    """A service does not answer."""
    return Finding(check, ok=False, detail=detail, fix=fix, away=True)


def listed(items: list[str], most: int = 5) -> str:
    """Some items in words, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
