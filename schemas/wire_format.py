"""The schema-registry wire format: magic byte 0, the schema id in four bytes big-endian, then the Avro body."""

from typing import Final

from signaalwissel.schemas.errors import NotWireFormat

HEADER_SIZE: Final = 5


def schema_id_of(data: bytes) -> int:
    """The schema id of a record in wire format; raises NotWireFormat."""
    if len(data) < HEADER_SIZE or data[0] != 0:
        raise NotWireFormat("does not start with magic byte 0 and a schema id")
    return data[1] << 24 | data[2] << 16 | data[3] << 8 | data[4]
