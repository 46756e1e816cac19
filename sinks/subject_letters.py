"""The dead letters of one resident: all of his municipality are opened, for any may be his.

Flows in: the resident, and the key provider. Flows out: his dead letters, opened, and how many were.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject import Known
from signaalwissel.processors.subject_opening import Published, original_in, published_in, subjects_in
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import OriginalRecord
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.sinks.tables import dead_letters
from sqlalchemy import Connection, Row, or_, select


class Letter(NamedTuple):
    """A dead letter of his, opened; `shared` where it is about a trajectory that is not his alone and names nobody."""

    row: Row[Any]
    original: OriginalRecord
    shared: bool


def letters_of(
    connection: Connection, known: Known, keys: KeyProvider, task_ids: Collection[str]
) -> tuple[list[Letter], int]:
    """Dead letters of his, and how many were opened: any may be, so all of his municipality are."""
    municipality = known.person.municipality
    whose = _Whose(known, keys.pseudonym_keys(municipality), task_ids)
    place = or_(dead_letters.c.municipality == municipality, dead_letters.c.municipality.is_(None))
    opened, his = 0, []
    for row in connection.execute(select(dead_letters).where(place).order_by(dead_letters.c.timestamp)):
        opened += 1
        original = original_in(row.dead_letter_id, bytes(row.sealed), keys.by_id)
        if original is None:
            continue
        shared = whose.shared(published_in(original.value))
        if shared is not None:
            his.append(Letter(row, original, shared))
    return his, opened


class _Whose(NamedTuple):
    """Tells whether a published record is about the resident."""

    known: Known
    pseudonyms: PseudonymKeys
    task_ids: Collection[str]

    def shared(self, record: Published | None) -> bool | None:
        """Whether it is about others as much as about him; None where it is not about him."""
        if record is None:
            return None
        if isinstance(record, TaskUpdate):
            return False if record.task_id in self.task_ids else None
        if record.municipality != self.known.person.municipality:
            return None
        named = subjects_in(record)
        if any(self.known.person.is_subject(self.pseudonyms.pseudonym(one)) for one in named):
            return False
        if named or isinstance(record, EarlySignal):
            return None
        for one in self.known.memberships:
            if one.trajectory_id == record.trajectory_id:
                return not one.alone
        return None
