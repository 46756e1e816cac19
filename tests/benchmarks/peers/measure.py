"""One run of one peer, measured. In: a peer, its task, a workload. Out: figures and what was wrong.

Throughput: the peer has its tables and is warm (it routed a first part of the signals); the other part lies in an
open transaction, and becomes visible at one instant. No load generator competes with the peer.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from signaalwissel.processors.emissions import DECISIONS, RESIDENT_EVENTS, SIGNALS, TRAJECTORIES

from tests.benchmarks.peers.catalogue import WHOLE, Peer, Task, running
from tests.benchmarks.peers.ground import Looks
from tests.benchmarks.peers.tree import Tree
from tests.benchmarks.peers.verify import Verdict, verify
from tests.benchmarks.peers.workload import Answer, Part, Workload
from tests.benchmarks.report import Place, Sample, window_of
from tests.benchmarks.sampling import Stuck

_WARM_SHARE = 0.2
_PAUSE_S = 0.03
_QUIET_S = 2.0
_START_BOUND_S = 300.0
_RUN_BOUND_S = 300.0
_IDLE_BOUND_S = 30.0
_COLD_FIRST_S = 200.0
"""Before its first decision of a cold replay a peer may have minutes of trajectories to read."""


@dataclass(frozen=True)
class Given:
    """What a peer reads, and what it must make of it.

    Attributes:
        topic: The topic of the signals.
        before: Per topic what is there from the beginning.
        signals: In the order of their arrival.
        ids: The routing id of each; None where it gets no first decision of its own.
        answers: By routing id.
        sealed_anew: The peer seals subjects itself.
    """

    before: Mapping[str, Part]
    topic: str
    signals: Part
    ids: list[str | None]
    answers: Mapping[str, Answer]
    sealed_anew: bool


@dataclass(frozen=True)
class Figures:
    """What one run gave."""

    signals_per_s: float
    cpu_us: float
    peak_rss_mib: float
    wall_s: float
    verdict: Verdict


def given_to(peer: Peer, workload: Workload) -> Given:
    """The workload as a peer reads it: the whole product the partners' records, all others `resident-events`."""
    if peer.name == WHOLE:
        before = {TRAJECTORIES: workload.events}
        ids = list(_first_ids(workload))
        return Given(before, SIGNALS, workload.signals, ids, workload.answers, sealed_anew=True)
    size = math.ceil(peer.share * len(workload.keyed))
    answers = dict(list(workload.answers.items())[:size])
    before = {RESIDENT_EVENTS: workload.trajectories}
    return Given(before, RESIDENT_EVENTS, workload.keyed[:size], list(answers), answers, sealed_anew=False)


def _first_ids(workload: Workload) -> Iterator[str | None]:
    """Per signal of a partner the routing id of the first delivery under its number."""
    by_number: dict[bytes, str] = {}
    for routing_id, answer in workload.answers.items():
        by_number.setdefault(answer.decision_key.partition(b"/")[2], routing_id)
    for signal in workload.signals:
        yield by_number.pop(signal.key, None)


def throughput(peer: Peer, task: Task, given: Given) -> Figures:
    """Signals a second and CPU per signal, between 10 % and 90 % of the output.

    Raises:
        Stuck: The peer ended, or did not come to an end.
        NoWindow: Its output came in too few steps.
    """
    ground = task.ground
    warm = int(_WARM_SHARE * len(given.signals))
    with ground.topics():
        for topic, records in given.before.items():
            ground.send(topic, records)
        ground.send(given.topic, given.signals[:warm])
        with (
            ground.held_back(given.topic, given.signals[warm:]) as gate,
            running(peer, task) as pids,
            ground.looking() as looks,
        ):
            tree = Tree(pids)
            began = ready(tree, looks, warm)
            opened_at = time.monotonic()
            gate.open()
            samples = _watch(tree, looks, began, len(given.signals) - warm)
        outputs = ground.read()
    verdict = verify(outputs, given.answers, ground.partitions, sealed_anew=given.sealed_anew)
    offsets: dict[Place, list[int]] = {place: [] for place in began}
    for output in outputs:
        place = Place(output.topic, output.partition)
        if place in began and output.offset >= began[place]:
            offsets[place].append(output.offset)
    window = window_of(samples, offsets, sum(map(len, offsets.values())))
    changed_at = max(
        after.at_s for before, after in pairwise(samples)
        if before.next_offsets != after.next_offsets
    )  # fmt: skip
    return Figures(window.per_second, window.cpu_us, tree.peak_mib, changed_at - opened_at, verdict)


def cold(peer: Peer, task: Task, given: Given) -> Verdict:
    """A replay with everything there before the peer starts.

    Raises:
        Stuck: The peer ended, or did not come to an end.
    """
    ground = task.ground
    with ground.topics():
        for topic, records in given.before.items():
            ground.send(topic, records)
        ground.send(given.topic, given.signals)
        with running(peer, task) as pids, ground.looking() as looks:
            _watch(Tree(pids), looks, {}, len(given.signals), first_s=_COLD_FIRST_S)
        return verify(ground.read(), given.answers, ground.partitions, sealed_anew=given.sealed_anew)


def ready(tree: Tree, looks: Looks, warm: int) -> dict[Place, int]:
    """Wait until the first part is routed and nothing moves; where the outputs end then."""
    deadline, quiet_since = time.monotonic() + _START_BOUND_S, time.monotonic()
    ends = looks.ends(DECISIONS)
    while True:
        time.sleep(_PAUSE_S * 4)
        tree.cpu_s()
        now = time.monotonic()
        seen = looks.ends(DECISIONS)
        if seen != ends:
            ends, quiet_since = seen, now
        # A few of the partners' signals are refused, so the whole product makes fewer decisions.
        if sum(ends.values()) >= 0.95 * warm and now - quiet_since > _QUIET_S:
            return ends
        if now > deadline:
            raise Stuck(f"not ready within {_START_BOUND_S:g} s: {sum(ends.values())} of {warm} signals")


def _watch(
    tree: Tree, looks: Looks, began: Mapping[Place, int], wanted: int, first_s: float = _IDLE_BOUND_S
) -> list[Sample]:
    samples: list[Sample] = []
    moved_at = began_at = time.monotonic()
    while True:
        cpu_s, ends = tree.cpu_s(), looks.ends(DECISIONS)
        now = time.monotonic()
        if not samples or samples[-1].next_offsets != ends:
            moved_at = now
        samples.append(Sample(now, cpu_s, ends))
        routed = sum(ends.values()) - sum(began.values())
        idle_s = _IDLE_BOUND_S if routed else first_s
        if now - moved_at > (_QUIET_S if routed >= 0.99 * wanted else idle_s):
            return samples
        if now - began_at > _RUN_BOUND_S:
            raise Stuck(f"not done within {_RUN_BOUND_S:g} s")
        time.sleep(_PAUSE_S)
