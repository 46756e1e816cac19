"""A task that ends because its client gave up ends the worker; one that was told to end does only that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from faust.types import TP
from signaalwissel.streams import app as apps
from signaalwissel.streams import runner
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.chunk import Record
from signaalwissel.streams.consumer import FEW_RECORDS, ChunkConsumer, ChunkFetcher
from signaalwissel.streams.consumer_thread import Fetched
from signaalwissel.streams.errors import CancelledByNobody
from signaalwissel.streams.gate import Gate
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.unasked import NoSilentEnd

from tests.streams.engine_worker import CountingCopier


async def given_up(*_args: object) -> Any:
    """A request whose client cancels what waits for it."""
    answer = asyncio.get_running_loop().create_future()
    answer.cancel()
    return await answer


def built() -> ChunkApp:
    return build_app(
        EngineSettings(app_id="app", bootstrap="nowhere:1", commit_interval_s=0.01, sweep_interval_s=0.01),
        lambda tables: CountingCopier(tables, {"out": "out"}),
        inputs=["in"],
        tables=["counts"],
        gate=Gate(frozenset({"in"}), frozenset({"in"}), 60.0),
    )


def watch_logs(app: ChunkApp) -> Awaitable[None]:
    app.cluster.ends = given_up  # type: ignore[method-assign]
    return ChunkApp._watch_logs.fun(app)


def open_gate(app: ChunkApp) -> Awaitable[None]:
    app.cold_start.wait = given_up  # type: ignore[method-assign]
    return ChunkApp._open_gate.fun(app)


def sweep(app: ChunkApp) -> Awaitable[None]:
    app.consumer.transactions._by_partition = {0: transaction()}
    app.processor.sweep = given_up  # type: ignore[method-assign]
    return ChunkApp._sweep.fun(app)


def commit_handler(app: ChunkApp) -> Awaitable[None]:
    transactions = app.consumer.transactions
    transactions._by_partition = {0: transaction()}
    transactions.dirty.set()
    return ChunkConsumer._commit_handler.fun(app.consumer)


def fetcher(app: ChunkApp) -> Awaitable[None]:
    app.consumer.deliver_chunks = given_up  # type: ignore[method-assign]
    return ChunkFetcher._fetcher.fun(app._fetcher)


def transaction() -> Any:
    return SimpleNamespace(dirty=True, lock=asyncio.Lock(), partition=0, commit=given_up)


SERVICES: dict[Callable[[ChunkApp], Awaitable[None]], Callable[[ChunkApp], NoSilentEnd]] = {
    watch_logs: lambda app: app,
    open_gate: lambda app: app,
    sweep: lambda app: app,
    commit_handler: lambda app: app.consumer,
    fetcher: lambda app: cast("NoSilentEnd", app._fetcher),
}


async def within(coroutine: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(10):
        await coroutine


@pytest.mark.parametrize("task", SERVICES, ids=lambda task: task.__name__)
def test_a_task_of_a_service_whose_client_gives_up_ends_the_worker(
    monkeypatch: pytest.MonkeyPatch, task: Callable[[ChunkApp], Awaitable[None]]
) -> None:
    monkeypatch.setattr(apps, "LOOK_S", 0.01)

    async def run() -> BaseException | None:
        app = built()
        await within(SERVICES[task](app)._execute_task(task(app)))
        return app.failure

    failure = asyncio.run(run())
    assert isinstance(failure, CancelledByNobody)
    assert "report it" in str(failure)


@pytest.mark.parametrize("task", [watch_logs, commit_handler], ids=lambda task: task.__name__)
def test_a_task_that_is_told_to_end_ends_and_fails_nobody(
    task: Callable[[ChunkApp], Awaitable[None]],
) -> None:
    async def run() -> BaseException | None:
        app = built()
        waiting = asyncio.create_task(SERVICES[task](app)._execute_task(task(app)))
        await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        return app.failure

    assert asyncio.run(run()) is None


def test_a_chunk_that_waits_for_room_when_a_rebalance_empties_the_queues_fails_nobody_and_reading_goes_on() -> (
    None
):
    async def run() -> None:
        app, tp = built(), TopicPartition("in", 0)
        consumer, read = app.consumer, 0

        async def reads(_wanted: object) -> list[Fetched]:
            nonlocal read
            read += 1
            await asyncio.sleep(0)
            return [Fetched(tp, [cast("Record", None)] * FEW_RECORDS, read)]

        consumer._positions = {tp: 0}
        consumer._thread = cast("Any", SimpleNamespace(read=reads))
        queue = app.FlowControlQueue(maxsize=1, clear_on_resume=True)
        app.flow_control.resume()
        consumer.callback = queue.put
        app.admission.open()
        task = asyncio.create_task(app._fetcher._execute_task(ChunkFetcher._fetcher.fun(app._fetcher)))
        async with asyncio.timeout(10):
            for _ in range(3):
                while not queue._putters:  # type: ignore[attr-defined] # noqa: ASYNC110 no event tells
                    await asyncio.sleep(0)
                app.admission.close()
                app.flow_control.clear()
                app.admission.open()
                before = read
                while read == before:  # noqa: ASYNC110
                    await asyncio.sleep(0)
        assert not task.done()
        assert app.failure is None
        task.cancel()

    asyncio.run(run())


def test_a_block_that_must_not_fail_half_done_ends_the_worker_when_a_client_gives_up() -> None:
    async def run() -> ChunkApp:
        app = built()
        with pytest.raises(CancelledByNobody):
            async with app.fatal_failures():
                await given_up()
        return app

    app = asyncio.run(run())
    assert isinstance(app.failure, CancelledByNobody)
    assert app.transactions.broken


def test_an_assignment_in_which_a_client_gives_up_is_an_error_that_faust_does_not_let_drop() -> None:
    async def run() -> None:
        app = built()
        app.read_layout = given_up  # type: ignore[method-assign]
        await app.consumer.transactions.on_rebalance({TP("in", 0)}, set(), {TP("in", 0)})

    with pytest.raises(CancelledByNobody, match="while taking partitions over"):
        asyncio.run(run())


@pytest.mark.parametrize("step", ["start", "stop"])
def test_a_start_or_a_stop_in_which_a_client_gives_up_is_told_and_ends_with_a_failure(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    app = built()

    async def nothing() -> None:
        app._stopped.set()

    for name in ("start", "stop"):
        monkeypatch.setattr(app, name, given_up if name == step else nothing)
    assert asyncio.run(runner._run(app)) == runner.FAILED
    assert isinstance(app.failure, CancelledByNobody)
