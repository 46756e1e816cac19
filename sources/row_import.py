"""One row after the other: mapped, checked by the rules of intake, told from what was imported before.

Flows in: rows. Flows out: what to publish for each, or a refusal. Nothing is sent here.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from signaalwissel.processors.emissions import SIGNALS, TRAJECTORIES
from signaalwissel.processors.followup_updates import UpdateRefused, check_update
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.published import Published, published
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.validation import (
    check_event,
    check_id,
    check_municipality,
    check_published,
    check_signal,
)
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.imports import ImportedState
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.units import Millis
from signaalwissel.sources.case_states import CaseState, Explained, explain, vanished
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.mapping import Mapped, Mapper
from signaalwissel.sources.profile_loading import Loaded
from signaalwissel.sources.rows import Row

_DIGEST_SIZE = 16
_NO_MOMENT = 0


class Rules(NamedTuple):
    """By what rows are judged.

    Attributes:
        policies: The municipalities' policies.
        publishers: Whom the topic may speak for.
        keys: The keyed digests and pseudonyms of the municipalities.
        publisher: Whose topic it is, None for the common ones.
    """

    policies: Policies
    publishers: Publishers
    keys: KeyProvider
    publisher: str | None = None


class Outcome(NamedTuple):
    """What a row comes to: records to publish and what the ledger or the states keep of it; known when neither."""

    records: tuple[Published, ...] = ()
    digest: bytes | None = None
    state: ImportedState | None = None


def check_known(municipality: str, policies: Policies, keys: KeyProvider) -> None:
    """Refuse a municipality that this installation cannot work for; raises Rejected."""
    check_municipality(municipality)
    if policies.get(municipality) is None or not keys.knows(municipality):
        raise Rejected(
            RejectionCode.UNKNOWN_MUNICIPALITY,
            "municipality",
            "has no policy or no keys in this installation",
        )


def digest_by(system: str, policies: Policies, keys: KeyProvider) -> Callable[[str, bytes], bytes]:
    """The keyed digest from which ids of a system's rows are derived; raises Rejected for a municipality unknown here."""

    def digest(municipality: str, content: bytes) -> bytes:
        check_known(municipality, policies, keys)
        return keys.pseudonym_keys(municipality).digest(f"{system}:".encode() + content)

    return digest


class RowImport:
    """Judges rows.

    Args:
        loaded: The profile.
        rules: By what they are judged.
        index: What was imported before; what is published is added to it by the caller.
        municipality: Stands in for the profile's constant.
        moment: When the rows came in, where the export does not say.
    """

    def __init__(
        self, loaded: Loaded, rules: Rules, index: ImportIndex, municipality: str | None, moment: Millis
    ) -> None:
        self._system = loaded.profile.name
        self._rules = rules
        self._index = index
        self.moment = moment
        derived = digest_by(self._system, rules.policies, rules.keys)
        self._mapper = Mapper(loaded, municipality, derived)
        self.municipalities: set[str] = set()

    def outcome(self, row: Row, file_number: int) -> Outcome:
        """What a row comes to; raises Rejected."""
        if row.refusal is not None:
            raise row.refusal
        record, dated = self._mapper.record(row, self.moment)
        try:
            if isinstance(record, CaseState):
                return self._state(record, file_number)
            return self._record(record, dated=dated)
        except DoesNotFit as error:
            raise Rejected(RejectionCode.UNREADABLE, error.field or None, error.rule) from None
        except UpdateRefused as refusal:
            raise Rejected(RejectionCode.INVALID_FIELD, refusal.field, refusal.rule) from None

    def vanished(self, file_number: int, percent_max: int) -> Iterator[Outcome]:
        """The withdrawals of what a complete export does not hold any more.

        Raises:
            Rejected: More vanished than the profile takes for possible.
        """
        for municipality in sorted(self.municipalities):
            gone = list(self._index.unseen(municipality, file_number))
            standing = self._index.count_standing(municipality)
            if len(gone) * 100 > percent_max * standing:
                rule = (
                    f"{len(gone)} of {standing} trajectories of municipality {municipality} are not in it, more than"
                    f" vanish_percent_max = {percent_max}: is the export whole? nothing was withdrawn"
                )
                raise Rejected(RejectionCode.INVALID_FIELD, None, rule)
            for told in gone:
                explained = vanished(told, self.moment)
                yield Outcome(tuple(map(published, explained.events)), None, explained.told)

    def _record(self, record: EarlySignal | TrajectoryEvent | TaskUpdate, *, dated: bool) -> Outcome:
        self._check(record)
        ready = published(record)
        # The moment of this import is no part of a row: the next import would take it for another one.
        content = (
            ready.value if dated or isinstance(record, TaskUpdate) else published(_undated(record)).value
        )
        digest = self._digest(record, content)
        return Outcome() if self._index.knows_row(digest) else Outcome((ready,), digest)

    def _state(self, state: CaseState, file_number: int) -> Outcome:
        check_id(state.trajectory_id, "trajectory_id")
        self._known_municipality(state.municipality)
        self.municipalities.add(state.municipality)
        if self._index.is_erased(state.municipality, state.trajectory_id):
            # Intake would absorb whatever is told; what is kept of it here would be new data of who was erased.
            return Outcome()
        found = self._index.get(state.municipality, state.trajectory_id)
        self._index.see(state.municipality, state.trajectory_id, file_number)
        if state.recorded_at is not None:
            check_published(state.recorded_at, self.moment, "recorded_at")
        told, seen = found or (None, None)
        explained = self._explained(told, state)
        if told is not None and seen == file_number and explained.events:
            raise Rejected(
                RejectionCode.INVALID_FIELD, "trajectory_id", "stands in this file before, with other content"
            )
        if not explained.events:
            return Outcome()
        for event in explained.events:
            self._check(event)
        return Outcome(tuple(map(published, explained.events)), None, explained.told)

    def _explained(self, told: ImportedState | None, state: CaseState) -> Explained:
        pseudonym = self._rules.keys.pseudonym_keys(state.municipality).pseudonym
        return explain(told, state, self._system, pseudonym, self.moment)

    def _check(self, record: Mapped) -> None:
        rules = self._rules
        if isinstance(record, TaskUpdate):
            check_update(record)
        elif isinstance(record, EarlySignal):
            self._known_municipality(record.municipality)
            rules.publishers.check(self._topic(SIGNALS), record.municipality, record.partner.partner_id)
            check_signal(record, rules.policies[record.municipality])
            check_published(record.received_at, self.moment, "received_at")
        elif isinstance(record, TrajectoryEvent):
            self._known_municipality(record.municipality)
            rules.publishers.check(self._topic(TRAJECTORIES), record.municipality)
            check_event(record)
            check_published(record.recorded_at, self.moment, "recorded_at")

    def _known_municipality(self, municipality: str) -> None:
        check_known(municipality, self._rules.policies, self._rules.keys)

    def _digest(self, record: EarlySignal | TrajectoryEvent | TaskUpdate, content: bytes) -> bytes:
        if isinstance(record, TaskUpdate):
            # It holds no person, and no municipality under whose key it could go.
            return hashlib.blake2b(content, digest_size=_DIGEST_SIZE, person=b"import-update").digest()
        keys = self._rules.keys.pseudonym_keys(record.municipality)
        return keys.digest(f"{self._system}:".encode() + content)

    def _topic(self, kind: str) -> str:
        publisher = self._rules.publisher
        return kind if publisher is None else f"{kind}.{publisher}"


def _undated(record: EarlySignal | TrajectoryEvent) -> EarlySignal | TrajectoryEvent:
    if isinstance(record, EarlySignal):
        return record._replace(received_at=_NO_MOMENT)
    return record._replace(recorded_at=_NO_MOMENT)
