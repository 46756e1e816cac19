"""Webhooks: a system that posts its own JSON, in the form that its profile maps, to the gateway (design 13).

In: a message and a profile with `[webhook]`. Out: the message as if the system had posted our records; what cannot be
mapped keeps its place, with field and rule. Rights, checks and delivery are those of the resource behind it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from signaalwissel.processors.rejection import Rejected
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.units import Millis
from signaalwissel.sources.gateway_messages import Item, Message
from signaalwissel.sources.gateway_records import EVENT, SIGNAL, UPDATE, Resource
from signaalwissel.sources.mapping import Mapper
from signaalwissel.sources.profile_fields import RecordKind
from signaalwissel.sources.profile_loading import Loaded
from signaalwissel.sources.rows import flattened

RESOURCE_OF: Final[Mapping[RecordKind, Resource]] = {
    RecordKind.SIGNAL: SIGNAL,
    RecordKind.TRAJECTORY_EVENT: EVENT,
    RecordKind.TASK_UPDATE: UPDATE,
}


class Webhook:
    """Translates what one system posts.

    Args:
        loaded: A profile with `[webhook]`.
        clock: Milliseconds since 1970: when a record came in that does not say.
    """

    def __init__(self, loaded: Loaded, clock: Callable[[], Millis]) -> None:
        self.name = loaded.profile.name
        self.resource = RESOURCE_OF[loaded.profile.record]
        self._mapper = Mapper(loaded, None, _no_digest)
        self._clock = clock

    def translated(self, message: Message) -> Message:
        """The message with our records in the place of the system's."""
        return Message(tuple(map(self._item, message.items)), message.batch)

    def _item(self, item: Item) -> Item:
        if item.finding is not None:
            return item
        if not isinstance(item.value, dict):
            return Item(None, finding="must be an object")
        # Its own CloudEvents type is none of ours; what it became decides.
        try:
            return Item(self._value(item.value))
        except Rejected as refusal:
            return Item(None, finding=refusal.rule, field=refusal.field)
        except DoesNotFit as error:
            return Item(None, finding=error.rule, field=error.field or None)

    def _value(self, posted: dict[str, Any]) -> Any:
        row = flattened(1, posted, {})
        if row.refusal is not None:
            raise row.refusal
        record = self._mapper.record(row, self._clock()).record
        return codec(self.resource.schema).to_json(record)


def _no_digest(_municipality: str, _content: bytes) -> bytes:
    # A profile with `[webhook]` derives no id: the gateway has no keys.
    raise AssertionError("a webhook derives no id")
