"""What Kafka's topics hold of one resident, within their retention: every topic is read whole, twice.

Flows in: what the database says is his. Flows out: by topic the records about him, without what is another's. The first
reading learns which signals and trajectories are his, also of those that the database does not have yet or any more.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console.progress import counted
from signaalwissel.console.whole_topics import records_of
from signaalwissel.processors.emissions import DECISIONS, RESIDENT_EVENTS, TRAJECTORY_STATES
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.stamped import record_in
from signaalwissel.processors.subject import Known, known_in
from signaalwissel.processors.subject_opening import KeyById
from signaalwissel.processors.subject_records import Scope, Selector
from signaalwissel.schemas.contract import codec, record_names
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.wire_format import schema_id_of
from signaalwissel.sinks.records import KafkaRecord
from signaalwissel.sinks.subject_search import Holdings, addressees
from signaalwissel.streams.topics import Names, layout

_CHANGELOG = "-changelog"
_RECENTS = "-recents-changelog"
_BY_HAND = {"KeyedSignal": read_keyed_signal}


class Keys(NamedTuple):
    """What is needed to tell whose a record is."""

    pseudonyms: PseudonymKeys
    by_id: KeyById


class Scan:
    """Reads every topic for one resident.

    Args:
        consumer: Of committed records.
        names: Topic names.
        keys: Of his municipality.
    """

    def __init__(self, consumer: KafkaConsumer, names: Names, keys: Keys) -> None:
        self._consumer = consumer
        self._names = names
        self._keys = keys
        self._topics = [topic.name for topic in layout(names, 1)]

    def run(self, holdings: Holdings) -> dict[str, list[dict[str, Any]]]:
        """By topic, the records about the resident."""
        known, states = self._known(holdings)
        scope = _scope(known, holdings, addressees(known.person.municipality, known.memberships, states))
        scope = scope._replace(refs=scope.refs | frozenset(self._refs(scope)))
        selector = Selector(scope, *self._keys)
        found: dict[str, list[dict[str, Any]]] = {}
        for topic in counted(self._topics, "topics", len(self._topics)):
            shown = [place for record in self._records(topic) if (place := _shown(record, selector))]
            found[self._names.bare(topic)] = shown
        return found

    def _known(self, holdings: Holdings) -> tuple[Known, Mapping[str, TrajectoryState]]:
        """His trajectories, by the topic that has every one of them."""
        person = holdings.person
        states = dict(holdings.states)
        hashes = [one for one in (person.bsn, person.birth_date) if one is not None]
        for record in self._records(self._names(TRAJECTORY_STATES)):
            if not any(one in (record.value or b"") for one in hashes):
                continue
            state = _decoded(record)
            if isinstance(state, TrajectoryState) and state.municipality == person.municipality:
                states[state.trajectory_id] = state
        return known_in(person, states.values()), states

    def _refs(self, scope: Scope) -> Iterator[bytes]:
        selector = Selector(scope, *self._keys)
        telling = [*self._names.signal_inputs(), self._names(RESIDENT_EVENTS), self._names(DECISIONS)]
        for topic in telling:
            for record in self._records(topic):
                ref = selector.ref_in(_decoded(record))
                if ref is not None:
                    yield ref

    def _records(self, topic: str) -> Iterator[KafkaRecord]:
        for number in sorted(self._consumer.partitions_for_topic(topic) or ()):
            yield from records_of(self._consumer, TopicPartition(topic, number))


def _scope(known: Known, holdings: Holdings, told: Iterable[str]) -> Scope:
    return Scope(
        person=known.person,
        memberships={one.trajectory_id: one for one in known.memberships},
        refs=frozenset(holdings.signals),
        task_ids=frozenset(task.task_id for task in holdings.tasks),
        shared_task_ids=frozenset(task.task_id for task in holdings.shared),
        notice_ids=frozenset(holdings.notice_ids),
        addressees=frozenset(told),
    )


def _shown(record: KafkaRecord, selector: Selector) -> dict[str, Any] | None:
    decoded = _decoded(record)
    shown = selector.shown_entry(record.key, decoded)
    if shown is None:
        return None
    return {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "record": type(decoded).__name__,
        "value": shown,
    }


def _decoded(record: KafkaRecord) -> object:
    """The value of a record; None for what is none of ours, or removed."""
    value = record.value or b""
    if record.topic.endswith(_CHANGELOG) and not record.topic.endswith(_RECENTS):
        value = record_in(value)
    try:
        names = record_names(schema_id_of(value))
    except (NotWireFormat, UnknownSchemaId):
        return None
    for name in names:
        try:
            return (_BY_HAND.get(name) or codec(name).decode)(value)
        except (UnknownSchemaId, DoesNotFit):
            continue
    return None
