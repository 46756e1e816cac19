"""With a registry set, the wire has its ids: a partner's serialiser and the product need nothing but the registry."""

import io
import json
import struct
from collections.abc import Callable
from typing import Any

import fastavro
import httpx
import pytest
from signaalwissel.console.schemas import fill
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec
from signaalwissel.sources.schema_registry import Registry, RegistrySettings

from tests.system.installation import Installation
from tests.system.lines import applied, signal

pytestmark = pytest.mark.timeout(300)


class Partner:
    """Writes and reads as Confluent's serialisers do: the id under the topic's subject, the schema by the id."""

    def __init__(self, registry: httpx.Client, product: Installation) -> None:
        self._registry = registry
        self._product = product

    def write(self, topic: str, record: str, line: Line, key: str, schema_id: int | None = None) -> None:
        if schema_id is None:
            subject = f"{self._product.prefix}{topic}-value"
            schema_id = self._registry.get(f"/subjects/{subject}/versions/latest").json()["id"]
        kind = codec(record)
        body = kind.encode_body(kind.from_json(line["value"]))
        self._product.send_raw(topic, struct.pack(">bI", 0, schema_id) + body, key=key.encode())

    def read(self, topic: str) -> list[dict[str, Any]]:
        return [self._decoded(record.value) for record in self._product.read(topic)]

    def _decoded(self, value: bytes) -> dict[str, Any]:
        magic, schema_id = struct.unpack(">bI", value[:5])
        assert magic == 0
        schema = json.loads(self._registry.get(f"/schemas/ids/{schema_id}").json()["schema"])
        found = fastavro.schemaless_reader(io.BytesIO(value[5:]), fastavro.parse_schema(schema), None)
        assert isinstance(found, dict)
        return found


def test_a_signal_under_the_registrys_id_is_routed_under_the_registrys_id(
    install: Callable[..., Installation], schema_registry: str
) -> None:
    product = install(extra={"SIGNAALWISSEL_SCHEMA_REGISTRY_URL": schema_registry})
    with Registry(RegistrySettings(url=schema_registry)) as registry:
        list(fill(registry, product.settings))
    with httpx.Client(base_url=schema_registry) as client:
        partner = Partner(client, product)
        product.start("worker")
        partner.write("trajectories", "TrajectoryEvent", applied("2026-01-01"), "0344/T1")
        product.settle()
        partner.write("signals", "EarlySignal", signal("s1", "2026-02-10"), "woonstichting/s1")
        # The fixed id of EarlySignal is another schema's there.
        partner.write("signals", "EarlySignal", signal("s2", "2026-02-10"), "woonstichting/s2", schema_id=1)
        product.settle()

        (routed,) = partner.read("counsellor-followup")
    assert (routed["signal_id"], routed["trajectory_id"]) == ("s1", "T1")
    (letter,) = product.dead_letters()
    assert letter.code == "UNKNOWN_SCHEMA_ID"
    # What stays between our own processes keeps the fixed ids.
    assert [decision.signal_id for decision in product.decisions()] == ["s1"]


def test_the_worker_does_not_start_without_the_registrys_ids(
    install: Callable[..., Installation], schema_registry: str
) -> None:
    product = install(extra={"SIGNAALWISSEL_SCHEMA_REGISTRY_URL": schema_registry})
    assert product.start("worker").wait(60) == 3
    assert "run `signaalwissel schemas register`" in product.logs()
