"""Finds the field at which an Avro body breaks: a dead letter must say where, and fastavro does not.

In: the bytes, the position of the body and the writer's parsed schema. Out: the field and the rule it breaks, never
a value. Only bytes that were refused already come here, so it is plain and slow.
"""

from collections.abc import Mapping
from typing import Any

from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.primitives import read_long

_ENDS = "is cut off: the record ends inside it"
_NUMBERS_MAX = 20_000
"""Garbage of the right shape is walked for some 20 ms, not for seconds: far more than any real record holds."""


def first_unreadable(data: bytes, start: int, schema: Mapping[str, Any]) -> DoesNotFit | None:
    """The first field of the Avro body at `start` that cannot be read with `schema`, or None where all can."""
    try:
        _Walk(data).skip(schema, start)
    except DoesNotFit as finding:
        return finding
    return None


class _Walk:
    """Steps over an Avro body, node by node of its schema."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _NUMBERS_MAX
        self._named: dict[str, Mapping[str, Any]] = {}

    def skip(self, node: Any, at: int) -> int:
        """The position after the value of `node` at `at`; raises DoesNotFit."""
        if isinstance(node, list):
            branch, at = self._index(at, len(node), "has no such branch of its union")
            return self.skip(node[branch], at)
        if isinstance(node, str):
            return self.skip(self._named[node], at) if node in self._named else self._skip_primitive(node, at)
        if node["type"] == "array":
            return self._skip_array(node["items"], at)
        if node["type"] == "enum":
            self._named[node["name"]] = node
            return self._index(at, len(node["symbols"]), "has no such symbol of its enum")[1]
        if node["type"] == "record":
            self._named[node["name"]] = node
            return self._skip_record(node, at)
        return self._skip_primitive(node["type"], at)

    def _skip_record(self, node: Mapping[str, Any], at: int) -> int:
        for field in node["fields"]:
            try:
                at = self.skip(field["type"], at)
            except DoesNotFit as finding:
                raise finding.within(field["name"]) from None
        return at

    def _skip_array(self, item: Any, at: int) -> int:
        index = 0
        count, at = self._long(at)
        while count:
            if count < 0:
                # A negative count is followed by the size of its block in bytes.
                count = -count
                _, at = self._long(at)
            for _ in range(count):
                try:
                    at = self.skip(item, at)
                except DoesNotFit as finding:
                    raise finding.within(f"[{index}]") from None
                index += 1
            count, at = self._long(at)
        return at

    def _skip_primitive(self, name: str, at: int) -> int:
        if name == "null":
            return at
        if name == "boolean":
            if at >= len(self._data):
                raise DoesNotFit("", _ENDS)
            return at + 1
        number, after = self._long(at)
        if name in {"int", "long"}:
            return after
        if number < 0:
            raise DoesNotFit("", "has a negative length")
        if after + number > len(self._data):
            raise DoesNotFit("", _ENDS)
        if name == "string":
            self._check_text(self._data[after : after + number])
        return after + number

    @staticmethod
    def _check_text(text: bytes) -> None:
        try:
            text.decode()
        except UnicodeDecodeError:
            raise DoesNotFit("", "is not UTF-8") from None

    def _long(self, at: int) -> tuple[int, int]:
        self._left -= 1
        if self._left < 0:
            raise DoesNotFit("", "or something behind it cannot be read")
        try:
            return read_long(self._data, at)
        except IndexError:
            raise DoesNotFit("", _ENDS) from None
        except ValueError:
            raise DoesNotFit("", "has a number of more than 64 bits") from None

    def _index(self, at: int, count: int, rule: str) -> tuple[int, int]:
        index, at = self._long(at)
        if not 0 <= index < count:
            raise DoesNotFit("", rule)
        return index, at
