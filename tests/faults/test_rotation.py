"""A rotation of match secrets under load, with kill -9 of intake, matcher and the command: nobody sees it in a route."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from signaalwissel.console import key_service, runtime
from signaalwissel.console.changelogs import read_through
from signaalwissel.console.connections import reader
from signaalwissel.console.rotation_found import RotationLook
from signaalwissel.processors.pseudonyms import secret_version
from signaalwissel.processors.rotation_plan import RotationStage, RotationState
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.processors.stamped import record_in
from signaalwissel.schemas.fact_codec import read_intake_trajectory, read_trajectory_head
from signaalwissel.sources.generator import generate
from signaalwissel.streams.topics import INTAKE_TRAJECTORIES, MATCHER_TRAJECTORIES, changelog_topic

from tests.faults.test_kill import kill, routings
from tests.system.installation import Installation, gapless, last_of_each, outcome, simulated_decisions

pytestmark = pytest.mark.timeout(600)

BUSY, QUIET = "0344", "0363"
COMMAND_BOUND_S = 200


def state_of(product: Installation, municipality: str) -> RotationState:
    """How far the rotation of a municipality is."""
    with reader(product.settings) as consumer:
        keys = key_service.provider(product.settings)
        return RotationLook(product.settings, consumer, keys, municipality).state()


def rotate(product: Installation, *arguments: str) -> Any:
    """What a run of the command prints, once it has ended in order."""
    ended = subprocess.run(
        [sys.executable, "-m", "signaalwissel.console", "keys", "rotate", *arguments, "--json"],
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_BOUND_S,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stderr}\n{product.logs()}"
    return json.loads(ended.stdout)


def newest(product: Installation, topic: str) -> dict[bytes, bytes]:
    """A compacted topic as it stands."""
    found: dict[bytes, bytes] = {}
    with reader(product.settings) as consumer:
        for record in read_through(consumer, topic):
            found[record.key] = record.value
    return {key: value for key, value in found.items() if value is not None}


def versions_at(product: Installation, municipality: str) -> dict[str, set[int]]:
    """The versions of the match secret under which intake and matcher keep something of a municipality."""
    names = runtime.names(product.settings)
    kept = newest(product, changelog_topic(names.intake_app, INTAKE_TRAJECTORIES))
    copies = newest(product, changelog_topic(names.matcher_app, MATCHER_TRAJECTORIES))
    stored = [read_intake_trajectory(record_in(value)) for value in kept.values()]
    return {
        "intake": {secret_version(k) for t in stored if t.municipality == municipality for k in t.match_keys},
        "matcher": {
            secret_version(key)
            for key, value in copies.items()
            if read_trajectory_head(record_in(value)).municipality == municipality
        },
    }


def parted(lines: Iterable[Line]) -> tuple[list[Line], list[Line]]:
    """What comes before the first signal, and the rest."""
    every = list(lines)
    first = next(number for number, line in enumerate(every) if line["topic"] == "signals")
    return every[:first], every[first:]


def test_two_rotations_under_load_and_kills_leave_every_route_as_it_would_be(
    install: Callable[..., Installation],
) -> None:
    busy = list(generate(1_000, 900, 41, municipalities=(BUSY,), history=1.0))
    known, quiet = parted(generate(100, 200, 42, municipalities=(QUIET,), history=0.5))
    product = install(partitions=2)
    expected = last_of_each(simulated_decisions(product.simulated([*busy, *known, *quiet])))
    intake, matcher = (product.start("worker", "--only", stage) for stage in ("intake", "matcher"))
    _, signals = parted(busy)
    part = len(signals) // 4
    product.publish([*known, *busy[: -3 * part]])
    product.settle()

    # More trajectories than intake takes at once, so the kill finds it in the middle of them, or nearly so.
    command = product.start("keys", "rotate", BUSY)
    product.publish(busy[-3 * part : -2 * part])
    product.wait_until(lambda: "takes DUAL" in product.logs(), "intake takes the first step")
    kill(intake)
    kill(command)
    assert state_of(product, BUSY).stage in {RotationStage.DUAL_WRITING, RotationStage.SWITCHING}
    intake = product.start("worker", "--only", "intake")

    going_on = product.start("keys", "rotate", BUSY, "--continue", "--json")
    product.publish(busy[-2 * part : -part])
    assert going_on.wait(COMMAND_BOUND_S) == 0, product.logs()
    product.publish(busy[-part:])
    told = rotate(product, BUSY, "--continue")
    assert (told["stage"], told["old"], told["new"]) == ("CORRECTING", 1, 2)
    assert told["correctable"] > 0
    assert versions_at(product, BUSY) == {"intake": {1, 2}, "matcher": {1, 2}}

    # No signal of this one came yet: its rotation goes through to the end.
    command = product.start("keys", "rotate", QUIET)
    second = product.folder / "keys" / QUIET / "match-2.secret"
    product.wait_until(second.exists, "the next secret is made")
    for process in (command, matcher, intake):
        kill(process)
    product.start("worker", "--only", "intake")
    product.start("worker", "--only", "matcher")
    assert rotate(product, QUIET, "--continue")["stage"] == "NONE"
    assert (product.folder / "keys" / QUIET / "match-1.secret").read_bytes() == b""
    assert versions_at(product, QUIET) == {"intake": {2}, "matcher": {2}}
    product.publish(quiet)
    product.settle()

    found = product.decisions()
    assert gapless(found)
    assert set(routings(product).values()) == {1}
    assert {key: outcome(decision) for key, decision in last_of_each(found).items()} == {
        key: outcome(decision) for key, decision in expected.items()
    }
    keys = defaultdict(set)
    for decision in found:
        keys[decision.municipality, decision.routing_id.split("-")[0]].add(decision.match_key)
    assert {len(of_one) for of_one in keys.values()} == {1}
    under = defaultdict(set)
    for (municipality, _), of_one in keys.items():
        under[municipality].update(map(secret_version, of_one))
    assert under == {BUSY: {1, 2}, QUIET: {2}}
