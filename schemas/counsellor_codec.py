"""A union of null and Counsellor by hand: Fact, RoutedSignal and Decision hold one."""

from signaalwissel.schemas.primitives import NULL, SOME, read_is_some, read_string, string
from signaalwissel.schemas.trajectory import Counsellor


def optional_counsellor(value: Counsellor | None) -> bytes:
    """A union of null and Counsellor."""
    return NULL if value is None else SOME + string(value.counsellor_id) + string(value.team)


def read_optional_counsellor(data: bytes, at: int) -> tuple[Counsellor | None, int]:
    """A union of null and Counsellor at `at`, and the position after it."""
    if not read_is_some(data, at):
        return None, at + 1
    counsellor_id, at = read_string(data, at + 1)
    team, at = read_string(data, at)
    return Counsellor(counsellor_id, team), at
