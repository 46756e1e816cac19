"""A partner's program: reads and writes records with avro-python3 and the published schemas, and with nothing else.

It runs in an environment of its own, where no code of this project is. In: a folder with `ids.json`, the `.avsc`
files and records. `write` makes `<record>.bin` from every `<Schema>.<n>.json`, `read` the other way round.

avro-python3 knows no logical types: like any program that uses it, this one turns dates into days, instants into
milliseconds and decimals into two's complement itself.
"""

import base64
import io
import json
import struct
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import avro.io
import avro.schema

Leaf = Callable[[str, Any, Any], Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Schema:
    """A published schema: for avro-python3, and as plain JSON for the logical types that it leaves out."""

    def __init__(self, path: Path, schema_id: int) -> None:
        text = path.read_text("utf-8")
        self.plain = json.loads(text)
        self.avro = avro.schema.parse(text)
        self.header = struct.pack(">bI", 0, schema_id)
        self.named: dict[str, Any] = {}

    def write(self, record: Any) -> bytes:
        out = io.BytesIO()
        out.write(self.header)
        datum = self.convert(self.plain, record, to_avro)
        avro.io.DatumWriter(self.avro).write(datum, avro.io.BinaryEncoder(out))
        return out.getvalue()

    def read(self, data: bytes, *older: "Schema") -> Any:
        """A record that was written with this version of the schema, or with one of the older ones."""
        known = [one for one in (self, *older) if one.header == data[:5]]
        if not known:
            raise SystemExit(f"header {data[:5].hex()} instead of {self.header.hex()}")
        written = known[0]
        source = io.BytesIO(data[5:])
        datum = avro.io.DatumReader(written.avro, self.avro).read(avro.io.BinaryDecoder(source))
        if source.read():
            raise SystemExit("bytes behind the record")
        return self.convert(self.plain, datum, from_avro)

    def convert(self, node: Any, value: Any, leaf: Leaf) -> Any:
        """The value with every leaf converted, node by node of the schema."""
        if isinstance(node, list):
            some = next(part for part in node if part != "null")
            return None if value is None else self.convert(some, value, leaf)
        if isinstance(node, str):
            return (
                self.convert(self.named[node], value, leaf) if node in self.named else leaf(node, {}, value)
            )
        if "logicalType" in node:
            return leaf(node["logicalType"], node, value)
        if node["type"] in ("record", "enum"):
            self.named[node["name"]] = node
        if node["type"] == "array":
            return [self.convert(node["items"], item, leaf) for item in value]
        if node["type"] == "enum":
            return value
        return {
            field["name"]: self.convert(field["type"], value[field["name"]], leaf) for field in node["fields"]
        }


def to_avro(kind: str, node: Any, value: Any) -> Any:
    if kind == "date":
        return date.fromisoformat(value).toordinal() - EPOCH.toordinal()
    if kind == "timestamp-millis":
        moment = datetime.fromisoformat(value)
        return (moment - EPOCH) // timedelta(milliseconds=1)
    if kind == "decimal":
        unscaled = int(Decimal(value).scaleb(node["scale"]))
        size = 1
        while not -(1 << (8 * size - 1)) <= unscaled < 1 << (8 * size - 1):
            size += 1
        return unscaled.to_bytes(size, "big", signed=True)
    if kind == "bytes":
        return base64.b64decode(value)
    return value


def from_avro(kind: str, node: Any, value: Any) -> Any:
    if kind == "date":
        return (EPOCH + timedelta(days=value)).date().isoformat()
    if kind == "timestamp-millis":
        text = (EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")
    if kind == "decimal":
        return str(Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-node["scale"]))
    if kind == "bytes":
        return base64.b64encode(value).decode("ascii")
    return value


def main() -> None:
    command, folder = sys.argv[1], Path(sys.argv[2])
    ids = json.loads((folder / "ids.json").read_text("utf-8"))
    versions: dict[str, list[Schema]] = {}
    for key, schema_id in ids.items():
        versions.setdefault(key.split(".")[0], []).insert(0, Schema(folder / f"{key}.avsc", schema_id))
    if command == "write":
        for path in sorted(folder.glob("*.*.json")):
            record = json.loads(path.read_text("utf-8"))
            newest, *_ = versions[path.name.split(".")[0]]
            path.with_suffix(".bin").write_bytes(newest.write(record))
    else:
        for path in sorted(folder.glob("*.*.bin")):
            newest, *older = versions[path.name.split(".")[0]]
            record = newest.read(path.read_bytes(), *older)
            path.with_suffix(".json").write_text(json.dumps(record, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
