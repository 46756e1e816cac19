"""Micro-benchmarks: one step of the hot path at a time, CPU microseconds per call, in this process.

In: a month and what intake makes of it. Out: measurements, each the best of several repeats: whatever else the
machine does only ever adds.
"""

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder
from signaalwissel.processors.decision import Effects, Verdict, decide
from signaalwissel.processors.emissions import SIGNALS, Emission
from signaalwissel.processors.facts import horizon_of
from signaalwissel.processors.matcher_state import KnownTrajectory, MatcherState
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.routing import Revision, Routing
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.internal import KeyedSignal
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.routing import MatchedBy, TrueReason
from signaalwissel.streams.chunk import ChunkHandler
from signaalwissel.streams.outputs import ChunkOutputs
from signaalwissel.streams.topics import Names, layout

from tests.benchmarks.month import Month
from tests.benchmarks.report import Measurement
from tests.benchmarks.rules import Given, Internal, Kit, Tables, given, intake_tables, matcher_tables

_REPEATS = 7
_CALLS = 2000
_PARTITIONS = 1
"""With more, intake would move the signals that belong to others instead of taking them."""
_BATCH_BYTES = 512 << 10
_DECIDED_AT = 1_772_000_000_000

Revised = tuple[KeyedSignal, bytes, Verdict, Revision, Policy]
Case = tuple[KeyedSignal, bytes, Sequence[KnownTrajectory], Verdict]
Stage = tuple[ChunkHandler, Tables]


def micro_benchmarks(kit: Kit, month: Month, internal: Internal) -> list[Measurement]:
    """Measure every step."""
    signals = given(SIGNALS, month.signals)
    cases = list(_cases(kit, internal))
    revisions = [_revision(kit, case) for case in cases[:_CALLS]]
    decisions = [Routing(*revision).decision().value for revision in revisions]
    return [
        _measured("decode EarlySignal", read_early_signal, [signal.value for signal in signals[:_CALLS]]),
        *_decisions(kit, cases),
        _measured("encode RoutedSignal and Decision", _both, revisions),
        _measured("decode Decision", read_decision, decisions),
        _step("intake step, decode to outputs", _intake(kit), signals),
        _step("matcher step, decode to outputs", _matcher(kit, internal.trajectories), internal.signals),
    ]


def _intake(kit: Kit) -> Stage:
    tables = intake_tables()
    return kit.intake(tables), tables


def _matcher(kit: Kit, trajectories: Sequence[Given]) -> Stage:
    tables = matcher_tables()
    handler = kit.matcher(tables)
    _chunk(handler, tables, trajectories)
    return handler, tables


def _decisions(kit: Kit, cases: Sequence[Case]) -> list[Measurement]:
    chosen: dict[str, Callable[[Verdict], bool]] = {
        "decide, no trajectory": lambda verdict: verdict.reason is TrueReason.NO_TRAJECTORY,
        "decide, found by BSN": lambda verdict: verdict.matched_by is MatchedBy.BSN,
        "decide, address only": lambda verdict: verdict.address_only,
    }
    measured = []
    for name, wanted in chosen.items():
        alike = [
            (signal, known if verdict.reason is not TrueReason.NO_TRAJECTORY else ())
            for signal, _, known, verdict in cases
            if wanted(verdict)
        ]
        repeated = (alike * (_CALLS // len(alike) + 1))[:_CALLS]
        measured.append(_measured(name, lambda case: _decide(kit, *case), repeated))
    return measured


def _cases(kit: Kit, internal: Internal) -> Iterable[Case]:
    state = MatcherState({}, {}, {})
    for record in internal.trajectories:
        state.put_trajectory(record.key or b"", record.value or b"", record.timestamp)
    for record in internal.signals:
        signal, key = read_keyed_signal(record.value or b""), record.key or b""
        known = state.trajectories_at(key)
        yield signal, key, known, _decide(kit, signal, known)


def _decide(kit: Kit, signal: KeyedSignal, known: Sequence[KnownTrajectory]) -> Verdict:
    policy = kit.policies[signal.municipality]
    horizon = horizon_of(signal.last_day, policy)
    folded = [trajectory for one in known if (trajectory := one.as_of(horizon)) is not None]
    return decide(signal, folded, Effects(), policy)


def _revision(kit: Kit, case: Case) -> Revised:
    signal, key, _, verdict = case
    revision = Revision(0, None, None, None, _DECIDED_AT)
    return signal, key, verdict, revision, kit.policies[signal.municipality]


def _both(revised: Revised) -> tuple[Emission, Emission]:
    routing = Routing(*revised)
    return routing.first(), routing.decision()


def _measured(name: str, call: Callable[[Any], object], arguments: Sequence[Any]) -> Measurement:
    def run() -> None:
        for argument in arguments:
            call(argument)

    return _best(name, [run] * _REPEATS, len(arguments))


def _step(name: str, stage: Stage, records: Sequence[Given]) -> Measurement:
    """A handler over chunks, the changes of its tables and the packing of batches included.

    The first half of the records warms it up: a trajectory is decoded and folded when the first signal asks for it.
    The other half is one chunk for each repeat.
    """
    handler, tables = stage
    warm = len(records) // 2
    _chunk(handler, tables, records[:warm])
    size = (len(records) - warm) // _REPEATS
    chunks = [records[warm + n * size : warm + (n + 1) * size] for n in range(_REPEATS)]
    return _best(name, [partial(_chunk, handler, tables, chunk) for chunk in chunks], size)


def _chunk(handler: ChunkHandler, tables: Tables, records: Sequence[Given]) -> None:
    counts = {topic.name: topic.partitions for topic in layout(Names(), _PARTITIONS)}
    outputs = ChunkOutputs(0, counts, _builder)
    with ExitStack() as bound:
        for table in tables.values():
            bound.enter_context(table.bound(0))
        handler.handle(0, records, outputs)
    for table in tables.values():
        outputs.add_changes("changelog", table.take_changes())
    outputs.take()


def _builder() -> BatchBuilder:
    return BatchBuilder(_BATCH_BYTES, 0, is_transactional=1)


def _best(name: str, runs: Sequence[Callable[[], None]], calls: int) -> Measurement:
    spent = []
    for run in runs:
        gc.collect()
        began = time.process_time()
        run()
        spent.append(time.process_time() - began)
    return Measurement(name, min(spent) * 1e6 / calls, "us", about={"calls": calls, "repeats": len(runs)})
