"""The traps of stock Faust 0.15.3 and aiokafka 0.14 that the engine closes, by the numbers of the engine notes (B).

Each test shows the trap in the stock code, and that our way does not pass there. Where the first half turns red after an
upgrade, the library has changed: it may be mended, or the trap may have moved. Look, before the pin is raised.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import defaultdict
from types import SimpleNamespace
from typing import Any, cast

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import IllegalOperation
from aiokafka.partitioner import DefaultPartitioner
from faust.stores.memory import Store
from faust.tables.manager import TableManager
from faust.topics import Topic
from faust.transport.consumer import Consumer, TransactionManager
from faust.transport.drivers import aiokafka as driver
from faust.transport.producer import ProducerBuffer
from faust.types import TP
from intervaltree import IntervalTree
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.cluster import Cluster, check_layout
from signaalwissel.streams.consumer import ChunkConsumer
from signaalwissel.streams.consumer_thread import ChunkThread
from signaalwissel.streams.errors import EngineError, LayoutError
from signaalwissel.streams.outputs import partition_of
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.transaction_manager import ChunkTransactions
from signaalwissel.streams.transactions import PartitionTransaction
from signaalwissel.streams.transport import NoProducer

from tests.streams.engine_worker import CountingCopier


class Recorder:
    """Notes the calls of its methods, whatever they are called."""

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        async def called(*args: Any, **named: Any) -> Any:
            self.calls.append((name, args, named))
            answer = self._answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return called

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.calls]


@pytest.fixture
def app() -> ChunkApp:
    return build_app(
        EngineSettings(app_id="app", bootstrap="nowhere:1"),
        lambda tables: CountingCopier(tables, {"out": "out"}),
        inputs=["in"],
        tables=["counts"],
    )


def bare(kind: type, **attributes: Any) -> Any:
    """An object of a class without the work of its constructor."""
    made = kind.__new__(kind)
    vars(made).update(attributes)
    return made


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(
            None, (None, None), id="an output topic that the consumer does not read: no transaction at all"
        ),
        pytest.param(3, ("app-0-3", 3), id="one that it reads: the transaction of the output's partition"),
    ],
)
def test_b1_stock_outputs_leave_by_the_partition_of_the_output_and_ours_by_that_of_the_input(
    app: ChunkApp, known: int | None, expected: tuple[str | None, int | None]
) -> None:
    producer = Recorder()
    stock = bare(
        TransactionManager,
        consumer=SimpleNamespace(key_partition=lambda *_: known),
        producer=producer,
        app=SimpleNamespace(
            conf=SimpleNamespace(id="app"), assignor=SimpleNamespace(group_for_topic=lambda _: 0)
        ),
    )
    given = "app-0-1"  # what the caller says is thrown away
    asyncio.run(stock.send("out", b"k", b"v", None, None, None, transactional_id=given))
    ((_, args, named),) = producer.calls
    assert (named["transactional_id"], args[3]) == expected

    for closed in (ChunkTransactions, NoProducer):
        with pytest.raises(EngineError, match="past the outputs of its chunk"):
            asyncio.run(bare(closed, app=app).send("out", b"k", b"v", None, None, None))
    assert app._new_transport().TransactionManager is ChunkTransactions
    assert app._new_producer_transport().Producer is NoProducer


def test_b1_our_transactional_id_is_that_of_the_input_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    def producer(**options: Any) -> Any:
        made.append(options)
        return SimpleNamespace(create_batch=None)

    monkeypatch.setattr("signaalwissel.streams.transactions.AIOKafkaProducer", producer)
    settings = EngineSettings(app_id="app", bootstrap="nowhere:1")
    surroundings = SimpleNamespace(settings=settings, stats=None, tables={}, partition_counts={"out": 9})
    PartitionTransaction(5, cast("Any", surroundings))
    assert [options["transactional_id"] for options in made] == ["app-5"]


def test_b2_a_stock_transactional_commit_waits_for_no_output_and_its_consumer_is_not_ours(
    app: ChunkApp,
) -> None:
    flushed, committed = Recorder(), Recorder(commit=True)
    tp = TP("in", 0)
    stock = SimpleNamespace(
        log=SimpleNamespace(dev=lambda *_: None, info=lambda *_: None),
        assignment=lambda: {tp},
        in_transaction=True,
        transactions=committed,
        app=SimpleNamespace(
            producer=flushed,
            tables=SimpleNamespace(on_commit=lambda _: None),
            monitor=SimpleNamespace(on_tp_commit=lambda _: None),
        ),
        _committed_offset={},
    )
    assert asyncio.run(Consumer._commit_offsets(cast("Any", stock), {tp: 7}))
    assert (flushed.names, committed.names) == ([], ["commit"])
    assert app._new_transport().Consumer is ChunkConsumer


def test_b2_a_stock_flush_gives_up_after_a_tenth_of_a_second() -> None:
    buffer = SimpleNamespace(state="running", size=3, message_sent=asyncio.Event())
    assert asyncio.run(ProducerBuffer.flush_atmost(cast("Any", buffer), None)) == 0


def test_b3_the_stock_end_of_the_log_is_a_cache_that_is_empty_after_an_assignment_and_ours_is_asked(
    app: ChunkApp,
) -> None:
    tp = TP("app-counts-changelog", 0)

    class Kafka:
        def last_stable_offset(self, _tp: TP) -> int | None:
            return None

        async def end_offsets(self, partitions: list[TP]) -> dict[TP, int]:
            return dict.fromkeys(partitions, 9255)

    stock = SimpleNamespace(_ensure_consumer=Kafka, consumer=SimpleNamespace(in_transaction=True))
    found = asyncio.run(driver.AIOKafkaConsumerThread._highwaters(cast("Any", stock), [tp]))
    assert found == {tp: None}
    ours = Cluster(app.settings)
    ours._log_client = cast("AIOKafkaConsumer", Kafka())
    assert asyncio.run(ours.ends([tp])) == {tp: 9255}


def test_b4_stock_swallows_a_transaction_that_cannot_begin_and_ours_ends_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(driver.logger, "warning", warned.append)
    refusing = Recorder(begin_transaction=IllegalOperation("IN_TRANSACTION -> IN_TRANSACTION"))

    async def stock() -> None:
        producer = SimpleNamespace(
            _transaction_producers={"t": refusing},
            _trn_locks={"t": asyncio.Lock()},
            _ensure_producer=lambda: None,
        )
        await driver.Producer.begin_transaction(cast("Any", producer), "t")

    asyncio.run(stock())
    assert len(warned) == 1

    ours = bare(
        PartitionTransaction,
        _producer=refusing,
        _id="app-0",
        _stopped=False,
        _settings=EngineSettings(app_id="app", bootstrap="nowhere:1"),
    )
    with pytest.raises(IllegalOperation):
        asyncio.run(ours.start())


def test_b5_a_stock_output_that_the_broker_refuses_is_a_warning_and_ours_stops_the_commit() -> None:
    refused = SimpleNamespace(result=lambda: (_ for _ in ()).throw(IllegalOperation("too large")))
    noted: list[Exception] = []
    message = SimpleNamespace(
        set_exception=noted.append,
        message=SimpleNamespace(channel=SimpleNamespace(get_topic_name=lambda: "out")),
    )
    stock = SimpleNamespace(app=SimpleNamespace(sensors=SimpleNamespace(on_send_error=lambda *_: None)))
    Topic._on_published(
        cast("Any", stock), cast("Any", refused), cast("Any", message), cast("Any", None), None
    )
    assert len(noted) == 1

    async def fails() -> None:
        raise IllegalOperation("too large")

    async def ours() -> None:
        delivery = SimpleNamespace(batch=("out", 0, None), records=1, acknowledged=fails())
        transaction = bare(PartitionTransaction, _deliveries=[delivery], _id="app-0", _tables={})
        with pytest.raises(IllegalOperation):
            await transaction._acknowledged()

    asyncio.run(ours())


def test_b6_stock_looks_for_a_tables_offset_under_the_source_and_ours_follows_its_own_changelog() -> None:
    stored: list[tuple[TP, int]] = []
    store = SimpleNamespace(set_persisted_offset=lambda tp, offset: stored.append((tp, offset)))
    changelog, source = TP("app-counts-changelog", 0), TP("in", 0)
    stock = bare(TableManager, _pending_persisted_offsets={changelog: (store, 9)})
    stock.on_commit({source: 5})
    assert stored == []

    async def written() -> Any:
        return SimpleNamespace(offset=40)

    async def ours() -> list[Any]:
        table = PartitionedTable()
        table.hold(0)
        delivery = SimpleNamespace(batch=("app-counts-changelog", 0, None), records=2, acknowledged=written())
        transaction = bare(
            PartitionTransaction, _deliveries=[delivery], _tables={"app-counts-changelog": table}, partition=0
        )
        return [offset for _, offset in await transaction._acknowledged()]

    assert asyncio.run(ours()) == [42]


def test_b7_the_stock_search_for_gaps_skips_a_record_and_ours_keeps_no_list() -> None:
    tp = TP("in", 0)
    stock = SimpleNamespace(
        _acked={tp: [6, 7, 8, 9]},
        _gap={tp: IntervalTree()},
        _acked_index=defaultdict(set),
        _committed_offset={tp: 5},
    )
    assert Consumer._new_offset(cast("Any", stock), tp) == 10  # 5 was never acknowledged
    transaction = bare(PartitionTransaction, _offsets={})
    transaction.handled(TopicPartition("in", 0), 5)
    assert transaction._offsets == {("in", 0): 5}


def test_b8_stock_transactional_ids_hang_on_an_index_over_all_topics() -> None:
    assert TransactionManager.transactional_id_format == "{group_id}-{tpg.group}-{tpg.partition}"


def test_b9_the_stock_memory_store_keeps_what_was_written_live_of_a_lost_partition_and_ours_lets_it_go() -> (
    None
):
    store: Any = bare(Store)
    store.__post_init__()
    store.data[b"live"] = b"1"  # as a table's set does
    asyncio.run(store.on_recovery_completed(set(), set()))
    assert store.data == {b"live": b"1"}

    table = PartitionedTable()
    table.hold(0)
    with table.bound(0):
        table[b"live"] = b"1"
    table.release(0)
    assert len(table) == 0


def test_b10_offsets_in_a_transaction_carry_no_generation_so_the_id_of_the_partition_must_fence() -> None:
    parameters = list(inspect.signature(AIOKafkaProducer.send_offsets_to_transaction).parameters)
    assert parameters == ["self", "offsets", "group_id"]


def test_b11_our_partitions_are_those_of_kafkas_clients_and_unequal_counts_are_refused() -> None:
    for number in range(500):
        key = b"key-%d" % number
        partitions = list(range(12))
        assert partition_of(key, 12) == DefaultPartitioner()(key, partitions, partitions)
    with pytest.raises(LayoutError, match="same number of partitions"):
        check_layout({"in": 4, "log": 3}, ["in"], ["log"])


def test_b12_our_tables_have_no_default_that_is_changed_and_never_stored() -> None:
    table = PartitionedTable()
    table.hold(0)
    with table.bound(0), pytest.raises(KeyError):
        table[b"absent"]
    assert table.take_changes() == {}


def test_b13_our_bounds_do_not_follow_stock_defaults(app: ChunkApp) -> None:
    stock = faust.App("stock", broker="kafka://nowhere:1").conf
    assert (stock.broker_session_timeout, stock.broker_commit_interval, stock.stream_wait_empty) == (
        60.0,
        2.8,
        True,
    )
    assert app.settings.session_timeout_s == 10.0
    assert app.settings.commit_interval_s == 0.1


def test_b14_no_consumer_of_ours_resets_an_offset_by_itself(
    app: ChunkApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "signaalwissel.streams.consumer_thread.ForgivingConsumer", lambda **options: made.append(options)
    )
    thread = SimpleNamespace(app=app)
    ChunkThread._create_worker_consumer(cast("Any", thread), None)
    assert [options["auto_offset_reset"] for options in made] == ["none"]
    assert [options["isolation_level"] for options in made] == ["read_committed"]
    assert [options["enable_auto_commit"] for options in made] == [False]


def waiting_fetcher() -> Fetcher:
    """A fetcher whose fetch failed and waits to try again, as while the broker is away."""
    fetcher = Fetcher.__new__(Fetcher)
    loop = asyncio.get_running_loop()
    fetcher._fetch_task = loop.create_task(asyncio.sleep(0))
    fetcher._fetch_waiters = set()
    fetcher._pending_tasks = {loop.create_task(asyncio.sleep(60))}
    return fetcher


def test_a_fetch_that_waits_to_try_again_does_not_end_the_consumer_thread_as_a_bug_would() -> None:
    async def stock() -> None:
        await waiting_fetcher().close()

    async def ours() -> None:
        thread = ChunkThread.__new__(ChunkThread)
        thread._consumer = cast("Any", SimpleNamespace(stop=waiting_fetcher().close))
        await thread.on_thread_stop()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stock())
    asyncio.run(ours())
