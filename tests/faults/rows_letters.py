"""Rows about dead letters: their topic takes none, and they are replayed (16, 17)."""

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType
from signaalwissel.console import runtime
from signaalwissel.console.lag import committed_offsets
from signaalwissel.console.topics import admin
from signaalwissel.processors.emissions import DEAD_LETTERS
from signaalwissel.sinks.dead_letters import DeadLetterFilter, list_dead_letters

from tests.faults.load import Load, load_of, make_load, sound
from tests.faults.rows_records import send_raw
from tests.faults.run import GateFailed, Row, Run, Settings
from tests.faults.stages import ROOT

_REPLAY_BOUND_S = 120
_LETTER_BYTES = 80 << 20
"""As `topics apply` sets it."""
_MARKERS_ONLY_BYTES = 150
"""Less than any dead letter, and enough for the marker of an aborted transaction, without which no broker lets go of it."""


def no_dead_letters(run: Run, load: Load) -> Mapping[str, Any]:
    """The topic of the dead letters takes nothing: nothing behind a bad record is acknowledged until it takes it."""
    product = run.product
    _let_in(run, _MARKERS_ONLY_BYTES)
    before, ended = _committed(run), product["intake"].ended
    try:
        places = send_raw(run, iter([("signals", b"k", b"\x01no schema", [])]))
        with product.publishing(load.lines, 4.0):
            product.wait_until(lambda: product["intake"].ended > ended, "intake ends itself", 40.0)
        (place,) = places
        passed = [at for at in (_committed(run).get(place[:2]),) if at is not None and at > place[2]]
        if passed:
            raise GateFailed(
                f"the commit went past a record whose dead letter nobody took: {place}, {passed[0]}"
            )
    finally:
        _let_in(run, _LETTER_BYTES)
    product.settle(60.0)
    run.books.read_on()
    if places - run.books.places:
        raise GateFailed("the bad record is no dead letter")
    return {"held at": before.get(place[:2]), "intake ended": product["intake"].ended - ended}


def _let_in(run: Run, bytes_max: int) -> None:
    """How large a batch the topic of the dead letters takes."""
    settings = run.product.settings
    name = settings.topic_prefix + DEAD_LETTERS
    with admin(settings) as client:
        client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": str(bytes_max)})]
        )


def _committed(run: Run) -> dict[tuple[str, int], int]:
    settings = run.product.settings
    group = runtime.names(settings).intake_app
    prefix = settings.topic_prefix
    return {
        (partition.topic.removeprefix(prefix), partition.partition): offset
        for partition, offset in committed_offsets(settings, [group])[group].items()
    }


def replayed_load(_settings: Settings, seed: int, municipality: str) -> Load:
    """A month that is refused as a whole at first: each of its records is a dead letter once before it is handled."""
    load = make_load(80, seed, municipality, per_resident=2.0)
    lines = sound(load.lines)
    made = load_of(lines)
    letters = Counter(
        (municipality, line["topic"], line["value"].get("signal_id") or line["value"].get("event_id"))
        for line in lines
    )
    return replace(made, letters=letters)


def replay(run: Run, load: Load) -> Mapping[str, Any]:
    """Dead letters are replayed, the command is killed in the middle, and all are replayed twice: no second effect."""
    product = run.product
    folder = product.folder / "policies"
    folder.mkdir(exist_ok=True)
    default = Path(ROOT, "processors", "default.toml")
    (folder / "default.toml").write_text(default.read_text())
    intake = product["intake"]
    usual = intake.environment
    intake.environment = {
        **usual,
        "SIGNAALWISSEL_EVERY_MUNICIPALITY": "false",
        "SIGNAALWISSEL_POLICY_DIR": str(folder),
    }
    intake.kill()
    product.publish(load.lines)
    product.settle(60.0)
    intake.environment = usual
    intake.kill()
    product.settle(60.0)
    open_before = _open_letters(run, load)
    killed = _killed_in_the_middle(run, load, open_before)
    left = _open_letters(run, load)
    if not 0 < left < open_before:
        raise GateFailed(f"{left} of {open_before} dead letters were open after a kill in the middle")
    first = _replay(run)
    second = _replay(run)
    if first or _open_letters(run, load):
        raise GateFailed(
            f"replaying ended with {first}, {_open_letters(run, load)} dead letters are still open"
        )
    return {"letters": open_before, "open after the kill": left, "exits": [killed, first, second]}


def _open_letters(run: Run, load: Load) -> int:
    (municipality,) = load.municipalities
    return len(
        [
            one
            for one in list_dead_letters(
                run.product.engine, DeadLetterFilter(municipality=municipality, limit=100_000)
            )
            if one.status == "open"
        ]
    )


def _killed_in_the_middle(run: Run, load: Load, letters: int) -> int:
    """Replay, and kill the command when a part of the dead letters is replayed; the exit status."""
    with _replaying(run) as command:
        left = run.dice.randint(letters // 2, letters - 1)
        run.product.wait_until(lambda: _open_letters(run, load) <= left, "some dead letters are replayed")
        command.kill()
        return command.wait()


def _replay(run: Run) -> int:
    """Replay what waits for its municipality; the exit status."""
    with _replaying(run) as command:
        return command.wait(_REPLAY_BOUND_S)


@contextmanager
def _replaying(run: Run) -> Iterator["subprocess.Popen[bytes]"]:
    command = run.product.installation.start(
        "dead-letters", "replay", "--code", "UNKNOWN_MUNICIPALITY", "--max", "100000"
    )
    try:
        yield command
    finally:
        if command.poll() is None:
            command.kill()


ROWS = [
    Row(16, "dead letters cannot be written", no_dead_letters, 400),
    Row(17, "dead letters replayed twice, killed in the middle", replay, load=replayed_load),
]
