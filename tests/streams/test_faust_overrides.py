"""What the engine replaces in Faust and aiokafka is still there, under the same names and with the same arguments.

An upgrade that renames a method leaves ours uncalled and brings the stock one back, without an error. So every override
is on this list; one that is missing from it, or no longer overrides, is a finding.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from signaalwissel import streams

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}
LIBRARIES = {"faust", "mode", "aiokafka"}
MADE_BY_THE_LIBRARIES = {"abstract", "_tasks", "mundane_level", "logger", "_abc_impl", "_is_protocol"}

OVERRIDDEN = {
    "NoSilentEnd._execute_task": ("mode.services.Service", "(self, task)"),
    "ChunkSchema.compile": (
        "faust.serializers.schemas.Schema",
        "(self, app, on_key_decode_error=..., on_value_decode_error=..., default_propagate=...)",
    ),
    "ChunkApp._new_transport": ("faust.app.base.App", "(self)"),
    "ChunkApp._new_producer_transport": ("faust.app.base.App", "(self)"),
    "ChunkApp._create_directories": ("faust.app.base.App", "(self)"),
    "ChunkApp.on_start": ("faust.app.base.App", "(self)"),
    "ChunkApp.on_stop": ("faust.app.base.App", "(self)"),
    "ChunkApp._producer_flush": ("faust.app.base.App", "(self, logger)"),
    "ChunkApp.on_shutdown": ("mode.services.ServiceCallbacks", "(self)"),
    "ChunkApp.crash": ("mode.services.Service", "(self, reason)"),
    "ChunkApp._crash": ("mode.services.Service", "(self, reason)"),
    "ChunkFetcher._fetcher": ("faust.transport.consumer.Fetcher", "task"),
    "ChunkConsumer.RebalanceListener": ("faust.transport.drivers.aiokafka.Consumer", "class"),
    "ChunkConsumer._new_consumer_thread": ("faust.transport.drivers.aiokafka.Consumer", "(self)"),
    "ChunkConsumer.on_buffer_full": ("faust.transport.consumer.Consumer", "(self, tp)"),
    "ChunkConsumer.on_buffer_drop": ("faust.transport.consumer.Consumer", "(self, tp)"),
    "ChunkConsumer.on_partitions_revoked": ("faust.transport.consumer.Consumer", "(self, revoked)"),
    "ChunkConsumer._commit_handler": ("faust.transport.consumer.Consumer", "task"),
    "ChunkConsumer._commit_livelock_detector": ("faust.transport.consumer.Consumer", "task"),
    "ChunkConsumer.commit": (
        "faust.transport.consumer.Consumer",
        "(self, topics=..., start_new_transaction=...)",
    ),
    "ReassignmentListener.on_partitions_revoked": (
        "faust.transport.drivers.aiokafka.ConsumerRebalanceListener",
        "(self, revoked)",
    ),
    "ReassignmentListener.on_partitions_assigned": (
        "faust.transport.drivers.aiokafka.ConsumerRebalanceListener",
        "(self, assigned)",
    ),
    "ChunkThread.Worker": ("mode.threads.ServiceThread", "class"),
    "ChunkThread._stopped_set": ("mode.threads.ServiceThread", "(self)"),
    "ChunkThread.on_thread_stop": ("faust.transport.drivers.aiokafka.AIOKafkaConsumerThread", "(self)"),
    "ChunkThread._create_worker_consumer": (
        "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread",
        "(self, transport)",
    ),
    "ChunkRecovery.on_rebalance": (
        "faust.tables.recovery.Recovery",
        "(self, assigned, revoked, newly_assigned, generation_id=...)",
    ),
    "ChunkRecovery._restart_recovery": ("faust.tables.recovery.Recovery", "task"),
    "ChunkRecovery._slurp_changelogs": ("faust.tables.recovery.Recovery", "task"),
    "ChunkRecovery._publish_stats": ("faust.tables.recovery.Recovery", "task"),
    "ChunkTableManager._recovery": ("faust.tables.manager.TableManager", "attribute"),
    "ChunkTableManager.recovery": ("faust.tables.manager.TableManager", "property"),
    "ChunkTableManager.on_start": ("faust.tables.manager.TableManager", "(self)"),
    "ChunkTableManager._update_channels": ("faust.tables.manager.TableManager", "(self)"),
    "ChunkTable.on_start": ("faust.tables.base.Collection", "(self)"),
    "ChunkTable.on_rebalance": (
        "faust.tables.base.Collection",
        "(self, assigned, revoked, newly_assigned, generation_id=...)",
    ),
    "ChunkTransactions.on_rebalance": (
        "faust.transport.consumer.TransactionManager",
        "(self, assigned, revoked, newly_assigned)",
    ),
    "ChunkTransactions.on_partitions_revoked": (
        "faust.transport.consumer.TransactionManager",
        "(self, revoked)",
    ),
    "ChunkTransactions.send": (
        "faust.transport.consumer.TransactionManager",
        "(self, topic, key, value, partition, timestamp, headers, transactional_id=...)",
    ),
    "ChunkTransactions.flush": ("faust.transport.consumer.TransactionManager", "(self)"),
    "NoProducer.on_start": ("faust.transport.drivers.aiokafka.Producer", "(self)"),
    "NoProducer.send": (
        "faust.transport.drivers.aiokafka.Producer",
        "(self, topic, key, value, partition, timestamp, headers, transactional_id=...)",
    ),
    "ChunkTransport.Consumer": ("faust.transport.drivers.aiokafka.Transport", "class"),
    "ChunkTransport.Fetcher": ("faust.transport.base.Transport", "class"),
    "ChunkTransport.Producer": ("faust.transport.drivers.aiokafka.Transport", "class"),
    "ChunkTransport.TransactionManager": ("faust.transport.base.Transport", "class"),
    "ForgivingConsumer.start": ("aiokafka.consumer.consumer.AIOKafkaConsumer", "(self)"),
    "UvloopConnection.send": ("aiokafka.conn.AIOKafkaConnection", "(self, request, expect_response=...)"),
    "PlacedRecords._unpack_records": ("aiokafka.consumer.fetcher.PartitionRecords", "(self)"),
    "PlacedRecords._consumer_record": ("aiokafka.consumer.fetcher.PartitionRecords", "(self, tp, record)"),
    "ForgivingBatches.next_batch": (
        "aiokafka.record.memory_records._MemoryRecordsPy",
        "(self, _min_slice=..., _magic_offset=...)",
    ),
    "OddBatch._read_msg": (
        "aiokafka.record.default_records._DefaultRecordBatchPy",
        "(self, decode_varint=...)",
    ),
    "_Ask.FLEXIBLE_VERSION": ("aiokafka.protocol.api.RequestStruct", "attribute"),
    "_Ask.SCHEMA": ("aiokafka.protocol.struct.Struct", "attribute"),
    "_Told.API_KEY": ("aiokafka.protocol.api.Response", "property"),
    "_Told.API_VERSION": ("aiokafka.protocol.api.Response", "property"),
    "_Told.SCHEMA": ("aiokafka.protocol.struct.Struct", "attribute"),
    "_TopicIds.build": ("aiokafka.protocol.api.Request", "(self, request_struct_class)"),
    "_Uuid.decode": ("aiokafka.protocol.abstract.AbstractType", "attribute"),
    "_Uuid.encode": ("aiokafka.protocol.abstract.AbstractType", "attribute"),
}
"""By our class and attribute: who defines the stock one, and its arguments, or `task`, `class`, `property`, `attribute`."""


def kind_of(stock: object) -> str:
    if isinstance(stock, property):
        return "property"
    if type(stock).__name__ == "ServiceTask":
        return "task"
    if inspect.isclass(stock):
        return "class"
    if not callable(stock):
        return "attribute"
    named = inspect.signature(stock).parameters.values()
    plain = [
        str(one.replace(annotation=inspect.Parameter.empty))
        if one.default is inspect.Parameter.empty
        else f"{one.name}=..."
        for one in named
    ]
    return f"({', '.join(plain)})"


def overrides() -> Iterator[tuple[str, tuple[str, str]]]:
    """Every attribute of a class of the engine that a base from the libraries defines too."""
    for found in pkgutil.iter_modules(streams.__path__):
        module = importlib.import_module(f"signaalwissel.streams.{found.name}")
        ours = [
            one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__
        ]
        for our in ours:
            for name in vars(our):
                if name.startswith("__") or name in MADE_BY_THE_LIBRARIES:
                    continue
                base = next((one for one in our.__mro__[1:] if name in vars(one)), None)
                if base is not None and base.__module__.partition(".")[0] in LIBRARIES:
                    stock = (f"{base.__module__}.{base.__qualname__}", kind_of(vars(base)[name]))
                    yield f"{our.__name__}.{name}", stock


@pytest.mark.parametrize("package", PINNED)
def test_the_engine_runs_on_the_version_that_it_was_written_for(package: str) -> None:
    assert version(package) == PINNED[package], (
        f"{package} changed: run this folder's trap tests, read what they say, and pin the new version here"
    )


def test_what_the_engine_overrides_is_what_the_libraries_have() -> None:
    assert dict(overrides()) == OVERRIDDEN
