"""Dead letters: a record that cannot be handled, sealed, with what is wrong and where (design 7, domain 8.16).

In: the record as it came and its refusal. Out: a DeadLetter to publish. What is wrong stands in the clear: code,
field and rule, never a value.
"""

from collections.abc import Callable
from typing import NamedTuple

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.emissions import DEAD_LETTERS, Emission
from signaalwissel.processors.identifiers import dead_letter_id
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.sealing import KeyDestroyed, KeyProvider, SealingKey, seal, unseal
from signaalwissel.processors.validation import is_municipality
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import DeadLetter, Header, OriginalRecord
from signaalwissel.schemas.units import Millis

_SHOWN_LENGTH_MAX = 200


class Source(NamedTuple):
    """A record as it came. `topic` is without prefix; `timestamp` is Kafka's."""

    topic: str
    partition: int
    offset: int
    timestamp: Millis
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()


class About(NamedTuple):
    """What could be read of a refused record and may be shown."""

    municipality: str | None = None
    record_id: str | None = None


def what_may_be_shown(municipality: object, record_id: object) -> About:
    """What of a record may stand in the clear: what breaks the form of a municipality or an id could be anything."""
    return About(
        municipality if isinstance(municipality, str) and is_municipality(municipality) else None,
        record_id if isinstance(record_id, str) and _is_id(record_id) else None,
    )


class DeadLetters:
    """Makes dead letters for one stage.

    Args:
        stage: intake, matcher or sink.
        keys: Where the sealing keys come from.
        nonce: Gives 12 fresh random bytes.
    """

    def __init__(self, stage: str, keys: KeyProvider, nonce: Callable[[], bytes]) -> None:
        self._stage = stage
        self._keys = keys
        self._nonce = nonce

    def of(self, source: Source, refusal: Rejected, about: About) -> Emission:
        """The dead letter of a record that is refused now."""
        return self.of_sealed(source, self.sealed(source, about.municipality), refusal, about)

    def sealed(self, source: Source, municipality: str | None) -> bytes:
        """The record as it came, sealed under the municipality's key of the day on which Kafka took it."""
        original = OriginalRecord(source.key, source.value, source.headers)
        return seal_original(original, _id(source), self._key(source, municipality), self._nonce())

    def of_sealed(self, source: Source, sealed: bytes, refusal: Rejected, about: About) -> Emission:
        """The dead letter of a record that was sealed when it came."""
        shown = what_may_be_shown(*about)
        letter = DeadLetter(
            dead_letter_id=_id(source),
            stage=self._stage,
            topic=source.topic,
            partition=source.partition,
            offset=source.offset,
            timestamp=source.timestamp,
            code=refusal.code.value,
            field=refusal.field,
            rule=refusal.rule,
            municipality=shown.municipality,
            record_id=shown.record_id,
            sealed=sealed,
        )
        value = codec("DeadLetter").encode(letter)
        return Emission(DEAD_LETTERS, letter.dead_letter_id.encode(), value, headers=_headers(letter))

    def _key(self, source: Source, municipality: str | None) -> SealingKey:
        if municipality is not None and self._keys.knows(municipality):
            try:
                return self._keys.day_key(municipality, amsterdam_day(source.timestamp))
            except KeyDestroyed:
                # The record is older than its day's retention; the refusal must still be kept.
                return self._keys.system_key()
        return self._keys.system_key()


def seal_original(original: OriginalRecord, letter_id: str, key: SealingKey, nonce: bytes) -> bytes:
    """A record as it came, sealed for its dead letter."""
    return seal(codec("OriginalRecord").encode_body(original), key, _belongs_to(letter_id), nonce)


def open_original(sealed: bytes, letter_id: str, key_by_id: Callable[[str], SealingKey]) -> OriginalRecord:
    """The record as it came; raises SealBroken or KeyUnavailable."""
    content = unseal(sealed, _belongs_to(letter_id), key_by_id)
    original: OriginalRecord = codec("OriginalRecord").decode_body(content)
    return original


def _headers(letter: DeadLetter) -> tuple[tuple[str, bytes], ...]:
    shown = {
        "stage": letter.stage,
        "topic": letter.topic,
        "partition": str(letter.partition),
        "offset": str(letter.offset),
        "code": letter.code,
        "field": letter.field or "",
        "rule": letter.rule,
    }
    return tuple((f"dead-letter-{name}", text.encode()) for name, text in shown.items())


def _id(source: Source) -> str:
    return dead_letter_id(source.topic, source.partition, source.offset)


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _SHOWN_LENGTH_MAX and text.isprintable()


def _belongs_to(letter_id: str) -> str:
    return f"DeadLetter/{letter_id}"
