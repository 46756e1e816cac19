"""A partner's own program publishes and reads over the wire, with the libraries and the partitioner that it has."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec

from tests.partner_environment import partner_environment
from tests.system.installation import Installation
from tests.system.lines import applied, signal

pytestmark = pytest.mark.timeout(300)

HERE = Path(__file__).parent / "partner"
AVRO = Path(__file__).parents[1] / "schemas" / "partner"
LOCKS = [AVRO / "build-requirements.txt", AVRO / "requirements.txt", HERE / "requirements.txt"]
PARTITIONS = 4
SIGNALS = [f"s{number}" for number in range(24)]


class PartnersProgram:
    """The program in a folder and an environment of its own, with the schemas as they are published."""

    def __init__(self, python: Path, folder: Path, product: Installation) -> None:
        self._python = python
        self._product = product
        self._program = folder / "program"
        self._schemas = folder / "schemas"
        self._program.mkdir()
        self._schemas.mkdir()
        shutil.copy(HERE / "program.py", self._program)
        shutil.copy(AVRO / "partner.py", self._program)
        published = resources.files("signaalwissel.schemas")
        (self._schemas / "ids.json").write_bytes((published / "ids.json").read_bytes())
        for file in published.iterdir():
            if file.name.endswith(".avsc"):
                (self._schemas / file.name).write_bytes(file.read_bytes())

    def write(self, topic: str, record: str, lines: Iterable[Line], *options: str) -> None:
        """Publish lines under the keys of the contract, or under none."""
        kind = codec(record)
        whole = [kind.to_json(kind.from_json(line["value"])) for line in lines]
        keyed = [{"key": key_of(plain), "record": plain} for plain in whole]
        self._run("write", topic, record, *options, given="\n".join(map(json.dumps, keyed)))

    def read(self, topic: str, record: str) -> list[Any]:
        return [json.loads(line) for line in self._run("read", topic, record).splitlines()]

    def _run(self, command: str, topic: str, record: str, *options: str, given: str = "") -> str:
        where = [self._product.bootstrap, self._product.prefix + topic, str(self._schemas), record]
        # -E and -s: nothing of ours is on its path but the folder of the program itself.
        ended = subprocess.run(
            [str(self._python), "-E", "-s", str(self._program / "program.py"), command, *where, *options],
            check=False,
            input=given,
            capture_output=True,
            text=True,
            timeout=90,
            cwd=self._program,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def key_of(plain: dict[str, Any]) -> str:
    """The key that the contract prescribes (design 2)."""
    if "signal_id" in plain:
        return f"{plain['partner']['partner_id']}/{plain['signal_id']}"
    return f"{plain['municipality']}/{plain['trajectory_id']}"


@pytest.fixture(scope="session")
def program_python() -> Path:
    return partner_environment("partner-program-venv", LOCKS)


@pytest.mark.parametrize("options", [("--keyed",), ()], ids=["librdkafka's partitioner", "no key at all"])
def test_a_partners_signals_reach_the_counsellor_once_however_they_were_partitioned(
    install: Callable[..., Installation], program_python: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    product = install(partitions=PARTITIONS)
    product.start("worker")
    partner = PartnersProgram(program_python, tmp_path, product)
    partner.write("trajectories", "TrajectoryEvent", [applied("2026-01-01")], *options)
    product.settle()
    partner.write("signals", "EarlySignal", [signal(name, "2026-02-10") for name in SIGNALS], *options)
    product.settle()

    found = partner.read("counsellor-followup", "RoutedSignal")
    assert sorted(line["record"]["signal_id"] for line in found) == sorted(SIGNALS)
    for line in found:
        record = line["record"]
        assert (record["municipality"], record["trajectory_id"], record["client"]) == ("0344", "T1", 0)
        assert (record["reason"], record["arrears"]) == ("RUNNING_TRAJECTORY", "250.00")
        assert line["key"] == "0344/T1"
        assert line["headers"]["ce_id"] == record["routing_id"]
    assert partner.read("regular-flow", "RoutedSignal") == []
    assert partner.read("regular-corrections", "RouteCorrection") == []
    # Neither way puts every signal where its key belongs, so some of them came by the moved topic.
    assert product.read("signals-moved")
    assert product.dead_letters() == []


def test_the_program_has_nothing_of_ours(program_python: Path) -> None:
    looked_for = "import importlib.util as u; print(u.find_spec('signaalwissel'), u.find_spec('fastavro'))"
    seen = subprocess.run(
        [str(program_python), "-I", "-c", looked_for], check=True, timeout=60, capture_output=True, text=True
    )
    assert seen.stdout.split() == ["None", "None"]
    for file in (HERE / "program.py", AVRO / "partner.py"):
        assert "signaalwissel" not in file.read_text("utf-8")
