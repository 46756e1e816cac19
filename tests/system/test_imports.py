"""From a system's export to its answer: imported, routed, a task for the counsellor, the outcome told back.

Each system delivers its sample and a folder of dirty files in one run. Whoever was taken is routed, and nobody else.
"""

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.routing import Route

from tests.system.dirty_exports import SAMPLES, Broken, Dirty, Refused, number_of, write_all
from tests.system.dirty_tables import clean_table, dirty_tables
from tests.system.dirty_trees import dirty_trees
from tests.system.dirty_workbooks import dirty_workbooks
from tests.system.installation import Installation
from tests.system.lines import contact_made

pytestmark = pytest.mark.timeout(600)

TRAJECTORIES_AT, SIGNALS_AT = "2026-02-01T12:00:00Z", "2026-02-10T12:00:00Z"
NUMBERS = {"vps": "Signaalnummer", "ris": "Meldingsnummer"}
"""The column of the answer that says whose it is."""


class Case(NamedTuple):
    """A system under test.

    Attributes:
        dirty: Its dirty files.
        others: The samples beside which its own is imported.
        hits: The counsellors of the signals in those samples that must reach one; None for nobody by name.
        regular: The other signals in them.
    """

    dirty: Callable[[str], Iterable[Dirty]]
    others: tuple[str, ...]
    hits: dict[str, str | None]
    regular: frozenset[str]


CASES = {
    "vps": Case(
        dirty_tables,
        ("stratech.csv", "allegro.xml"),
        {"VPS-1": "c-stratech", "VPS-2": "c-allegro"},
        frozenset({"VPS-3"}),
    ),
    "ris": Case(
        dirty_workbooks,
        ("onview.csv", "ddas-trajectories.json"),
        {"RIS-1": "c-onview", "RIS-2": None},
        frozenset({"RIS-3"}),
    ),
    "stratech": Case(dirty_tables, ("vps.csv",), {"VPS-1": "c-stratech"}, frozenset({"VPS-2", "VPS-3"})),
    "allegro": Case(dirty_trees, ("vps.csv",), {"VPS-2": "c-allegro"}, frozenset({"VPS-1", "VPS-3"})),
    "onview": Case(dirty_tables, ("ris.xlsx",), {"RIS-1": "c-onview"}, frozenset({"RIS-2", "RIS-3"})),
}


class Run:
    """One system's way through an installation."""

    def __init__(self, system: str, product: Installation, folder: Path) -> None:
        self.system = system
        self.case = CASES[system]
        self.product = product
        self.folder = folder
        self.sends_signals = system in NUMBERS
        self.files = write_all(iter(self.case.dirty(system)), folder / "drop")
        self.taken = {person for file in self.files.values() for person in file.taken}
        self.lost = {person for file in self.files.values() for person in file.lost}
        assert not self.taken & self.lost
        [sample] = SAMPLES.glob(f"{system}.*")
        (folder / "drop" / sample.name).write_bytes(sample.read_bytes())
        self.sample = sample.name

    def program(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        """What a command tells."""
        done = subprocess.run(
            [sys.executable, "-m", "signaalwissel.console", *arguments, "--json"],
            env=self.product.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def import_dirty(self) -> None:
        """The system's folder: its sample and all that is dirty; every row ends as it must."""
        at = SIGNALS_AT if self.sends_signals else TRAJECTORIES_AT
        drop = self.folder / "drop"
        reports = self.program("import", self.system, str(drop), "--received-at", at, code=1)
        told = {report["file"]: report for report in reports}
        sample = told.pop(self.sample)
        assert sample["rows"] == sample["new"] > 0
        assert told.keys() == self.files.keys()
        for name, file in self.files.items():
            check(file, told[name], drop)

    def import_clean(self, system: str, file: Path, at: str) -> None:
        [told] = self.program("import", system, str(file), "--received-at", at)
        assert told["rows"] == told["new"] > 0

    def import_others(self) -> None:
        """The samples on the other side, and somebody for each person of the dirty files."""
        at = TRAJECTORIES_AT if self.sends_signals else SIGNALS_AT
        for name in self.case.others:
            self.import_clean(name.partition(".")[0], SAMPLES / name, at)
        counterpart = "onview" if self.sends_signals else "vps"
        file = self.folder / f"{counterpart}.csv"
        file.write_bytes(clean_table(counterpart, sorted(self.taken | self.lost)))
        self.import_clean(counterpart, file, at)

    def import_all(self) -> None:
        """Trajectories first: a signal is told by what was known before it."""
        steps = [self.import_others, self.import_dirty]
        for step in steps if self.sends_signals else reversed(steps):
            step()
            self.product.settle(sink=True)

    def published(self) -> Counter[str]:
        """Which of the dirty files' persons stand on the system's input topic, how often."""
        if self.sends_signals:
            found = [read_early_signal(record.value).signal_id for record in self.product.read("signals")]
        else:
            decode = codec("TrajectoryEvent").decode
            events = [decode(record.value) for record in self.product.read("trajectories")]
            found = [event.trajectory_id for event in events if event.kind.value == "APPLIED"]
        return Counter(name for name in found if name.startswith(number_of(self.system, 0)[:-1]))

    def signal_of(self, person: int) -> str:
        return number_of(self.system if self.sends_signals else "vps", person)

    def expected(self) -> tuple[set[str], set[str]]:
        """The signals that must reach a counsellor, and those that must not."""
        hits = {*self.case.hits, *map(self.signal_of, self.taken)}
        # A signal that was refused is nobody's; one whose trajectory was refused goes the regular way.
        rest = set() if self.sends_signals else set(map(self.signal_of, self.lost))
        return hits, {*self.case.regular, *rest}

    def reach_everybody(self) -> int:
        """Contact with every resident who has a task; how many."""
        contacts = [contact_made(task_id) for task_id in self.product.contacts_to_make()]
        self.product.publish(contacts)
        self.product.settle(sink=True)
        return len(contacts)

    def answers(self) -> dict[str, str]:
        """The answer file, in its signal system's terms."""
        signal_system = self.system if self.sends_signals else "vps"
        file = self.folder / "antwoord.csv"
        self.program("export", signal_system, str(file), "--municipality", "0344", "--all")
        rows = csv.DictReader(file.read_text("utf-8-sig").splitlines(), delimiter=";")
        return {row[NUMBERS[signal_system]]: row["Status"] for row in rows}


def check(file: Dirty, told: dict[str, Any], folder: Path) -> None:
    """A file came to what it must: in = accepted + refused, and each refusal has row, column and reason beside it."""
    assert (told["rows"], told["new"], told["known"], told["rejected"]) == (
        file.rows,
        len(file.taken),
        file.known,
        len(file.refused),
    ), told
    assert told["rows"] == told["accepted"] + told["rejected"]
    broken = told["broken"]
    assert (broken is None) == (file.broken is None), told
    reasons: list[Refused | Broken] = [*file.refused, *([] if file.broken is None else [file.broken])]
    beside = folder / f"{file.name}.rejects.csv"
    found = list(csv.DictReader(beside.read_text("utf-8").splitlines(), delimiter=";")) if reasons else []
    assert beside.exists() == bool(reasons)
    for reason, row in zip(reasons, found, strict=True):
        columns = reason.columns if isinstance(reason, Refused) else ()
        number = "" if reason.row is None else str(reason.row)
        assert (row["row"], row["column"]) == (number, ", ".join(columns)), file.name
        assert row["rule"].startswith(reason.rule), file.name


@pytest.mark.parametrize("system", CASES)
def test_a_sample_and_its_dirty_files_lead_to_tasks_and_answers_for_whoever_was_taken_and_nobody_else(
    system: str, install: Callable[..., Installation], tmp_path: Path
) -> None:
    product = install(partitions=2)
    product.start("worker")
    product.start("sink")
    run = Run(system, product, tmp_path)
    run.import_all()

    assert run.published() == Counter(number_of(system, person) for person in run.taken)
    hits, regular = run.expected()
    decided = product.decisions()
    assert Counter(one.signal_id for one in decided) == Counter(chain(hits, regular))
    followed = {one.signal_id: one for one in decided if one.route is Route.COUNSELLOR_FOLLOWUP}
    assert followed.keys() == hits
    counsellors = {
        name: one.counsellor.counsellor_id if one.counsellor else None for name, one in followed.items()
    }
    assert {name: counsellors[name] for name in run.case.hits} == run.case.hits
    assert product.dead_letters() == []

    # Nobody has been reached: the answer tells nothing, as telling would say that there is a trajectory.
    assert set(run.answers().values()) == {"Nog niet opgepakt"}
    assert run.reach_everybody() == len(hits)
    assert run.answers() == {**dict.fromkeys(hits, "Opgepakt"), **dict.fromkeys(regular, "Nog niet opgepakt")}
