"""An export of any length takes the memory of a short one: rows are read, judged and let go."""

import csv
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.file_import import FileImport
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.profile_loading import load_profile
from signaalwissel.sources.row_import import RowImport, Rules

from tests.sources.import_support import RECEIVED, SAMPLES, SYSTEMS

SHORT, LONG = 1_000, 5_000
"""The short one fills a batch already: that much is held at any length."""


def as_csv(file: Path, count: int) -> None:
    header, row, *_ = csv.reader((SAMPLES / "vps.csv").read_text("utf-8-sig").splitlines(), delimiter=";")
    at = header.index("Signaalnummer")
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, delimiter=";")
        writer.writerow(header)
        writer.writerows([*row[:at], f"S{number}", *row[at + 1 :]] for number in range(count))


def as_xlsx(file: Path, count: int) -> None:
    known = load_workbook(SAMPLES / "ris.xlsx").active
    assert known is not None
    header, row, *_ = known.iter_rows(values_only=True)
    at = header.index("Meldingsnummer")
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    sheet.append(header)
    for number in range(count):
        sheet.append([*row[:at], f"S{number}", *row[at + 1 :]])
    workbook.save(file)


def as_xml(file: Path, count: int) -> None:
    sample = (SAMPLES / "allegro.xml").read_text("utf-8")
    before, _, rest = sample.partition("<Dossier ")
    record, _, after = rest.partition("</Dossier>")
    with file.open("w", encoding="utf-8") as opened:
        opened.write(before)
        for number in range(count):
            opened.write(f"<Dossier {record}</Dossier>\n".replace('"ALL-1"', f'"A{number}"'))
        opened.write(after)


def as_json(file: Path, count: int) -> None:
    sample = json.loads((SAMPLES / "ddas-signals.json").read_text("utf-8"))
    delivery = sample["leveringen"][0]
    row = delivery["vroegsignalen"][0]
    delivery["vroegsignalen"] = [{**row, "ID": f"S{number}"} for number in range(count)]
    file.write_text(json.dumps(sample), "utf-8")


# The parser of a sheet keeps an empty element of every row that was read; a sheet has 1,048,576 rows at most.
KEPT_OF_A_ROW = {as_xlsx: 100}


def peak_of(system: str, file: Path, count: int, index_file: Path) -> int:
    """The most bytes that a dry import of a file holds at once; every row of it is taken."""
    loaded = load_profile(system)
    rules = Rules(packaged_policies(for_every_code=True), Publishers(), ThrowawayKeys())
    with ImportIndex(index_file) as index:
        files = FileImport(loaded.profile, RowImport(loaded, rules, index, None, RECEIVED), index, None)
        tracemalloc.start()
        try:
            report = files.run(file, write_rejects=False)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (report.rows, report.new) == (count, count)
    return peak


@pytest.mark.parametrize(
    ("system", "write"),
    [("vps", as_csv), ("ris", as_xlsx), ("allegro", as_xml), ("ddas-signals", as_json)],
)
def test_five_times_the_rows_take_no_more_memory(
    system: str, write: Callable[[Path, int], None], tmp_path: Path
) -> None:
    peaks = []
    # The first is for what is loaded once and stays.
    for count in (100, SHORT, LONG):
        file = tmp_path / f"{count}-{SYSTEMS[system]}"
        write(file, count)
        peaks.append(peak_of(system, file, count, tmp_path / f"index-{count}"))
    assert peaks[2] < 1.5 * peaks[1] + KEPT_OF_A_ROW.get(write, 0) * (LONG - SHORT)
