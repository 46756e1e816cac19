"""Dirty files: every row ends accepted or refused, with its number and the reason; nothing is guessed."""

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from signaalwissel.processors.input_records import Published
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.file_import import FileImport, Report
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.import_kafka import Batch
from signaalwissel.sources.profile_loading import load_profile
from signaalwissel.sources.row_import import RowImport, Rules

SAMPLES = Path(__file__).parent / "samples"
SYSTEMS = {
    "vps": "vps.csv",
    "ris": "ris.xlsx",
    "stratech": "stratech.csv",
    "allegro": "allegro.xml",
    "onview": "onview.csv",
    "ddas-signals": "ddas-signals.json",
    "ddas-trajectories": "ddas-trajectories.json",
}
RECEIVED = 1_770_724_800_000
"""2026-02-10T12:00:00Z."""


def imported(system: str, file: Path) -> tuple[Report, list[Published]]:
    """What an import of a file comes to, and what it publishes."""
    sent: list[Published] = []

    def commit(batch: Batch) -> None:
        sent.extend(batch.records)

    loaded = load_profile(system)
    rules = Rules(packaged_policies(for_every_code=True), Publishers(), ThrowawayKeys())
    with ImportIndex() as index:
        rows = RowImport(loaded, rules, index, None, RECEIVED)
        report = FileImport(loaded.profile, rows, index, commit).run(file, write_rejects=True)
    assert report.rows == report.accepted + report.rejected
    assert report.records == len(sent)
    return report, sent


def signals(sent: list[Published]) -> list[EarlySignal]:
    return [read_early_signal(one.value) for one in sent]


def sample(system: str, folder: Path) -> Path:
    file = folder / SYSTEMS[system]
    file.write_bytes((SAMPLES / SYSTEMS[system]).read_bytes())
    return file


def cells(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened, delimiter=";"))


def write(file: Path, rows: list[list[str]], encoding: str = "utf-8") -> None:
    with file.open("w", encoding=encoding, newline="") as opened:
        csv.writer(opened, delimiter=";").writerows(rows)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_sample_is_accepted_whole(system: str, tmp_path: Path) -> None:
    report, sent = imported(system, sample(system, tmp_path))
    assert report.clean
    assert report.new == report.rows > 0
    assert sent
    assert [file.name for file in tmp_path.iterdir()] == [SYSTEMS[system]]


def test_amounts_dates_and_names_come_through(tmp_path: Path) -> None:
    _, sent = imported("vps", sample("vps", tmp_path))
    first, second, third = signals(sent)
    assert (first.arrears, second.arrears, third.arrears) == (125_050, 30_000, 8_510)
    assert first.partner.partner_id == "01234567"
    assert second.subject.surname == "Testpersoon-Ünal"
    assert second.subject.birth_date is None
    assert (third.municipality, third.crisis, third.subject.bsn) == ("0344", True, None)


def test_a_row_that_does_not_say_when_it_came_is_known_at_any_later_import(tmp_path: Path) -> None:
    file = sample("vps", tmp_path)
    rows = cells(file)
    without = rows[0].index("Ontvangen op")
    write(file, [row[:without] + row[without + 1 :] for row in rows])
    loaded = load_profile("vps")
    rules = Rules(packaged_policies(for_every_code=True), Publishers(), ThrowawayKeys())
    with ImportIndex() as index:
        rows_of = RowImport(loaded, rules, index, None, RECEIVED)
        files = FileImport(loaded.profile, rows_of, index, None)
        first = files.run(file, write_rejects=False)
        rows_of.moment = RECEIVED + 86_400_000
        again = files.run(file, write_rejects=False)
    assert (first.new, again.new, again.known) == (3, 0, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_name_with_diacritics_is_read_in_each_encoding_of_the_profile(
    encoding: str, tmp_path: Path
) -> None:
    file = sample("vps", tmp_path)
    write(file, cells(file), encoding)
    report, sent = imported("vps", file)
    assert report.clean
    assert signals(sent)[1].subject.surname == "Testpersoon-Ünal"


def test_an_encoding_that_the_profile_does_not_know_refuses_the_file(tmp_path: Path) -> None:
    file = sample("stratech", tmp_path)
    file.write_bytes(b"\x81\x8d\x8f\x90" + file.read_bytes())
    report, sent = imported("stratech", file)
    assert report.broken is not None
    assert report.broken.rule == "cannot be read in utf-8-sig or cp1252"
    assert sent == []


def test_the_same_row_twice_is_sent_once(tmp_path: Path) -> None:
    file = sample("vps", tmp_path)
    rows = cells(file)
    write(file, [*rows, rows[1]])
    report, sent = imported("vps", file)
    assert (report.new, report.known, len(sent)) == (3, 1, 3)


def test_a_trajectory_that_stands_twice_with_other_content_is_refused_the_second_time(tmp_path: Path) -> None:
    file = sample("stratech", tmp_path)
    rows = cells(file)
    other = [*rows[1]]
    other[rows[0].index("Toelating")] = "21-09-2025"
    write(file, [*rows, rows[1], other])
    report, _ = imported("stratech", file)
    assert (report.new, report.known, report.rejected) == (2, 1, 1)
    assert (report.rejects[0].row, report.rejects[0].columns) == (5, ("Dossiernummer",))


def _less(rows: list[list[str]]) -> None:
    rows[2] = rows[2][:5]


def _more(rows: list[list[str]]) -> None:
    rows[2].insert(4, "999990019")


def _set(column: str, value: str) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        rows[2][rows[0].index(column)] = value

    return change


@pytest.mark.parametrize(
    ("change", "column", "rule"),
    [
        (_less, "", "has 5 columns, the header 21"),
        (_more, "", "has 22 columns, the header 21"),
        (_set("BSN", "123456789"), "BSN", "must have nine digits and pass the 11-proof"),
        (_set("BSN", "12-45"), "BSN", "must have nine digits"),
        (_set("Bedrag", "=1+1"), "Bedrag", "must be a value, not a formula"),
        (_set("Bedrag", "1.2345,00"), "Bedrag", "must be an amount with ',' before the cents"),
        (_set("Bedrag", "0,00"), "Bedrag", "must be more than zero euro"),
        (_set("Bedrag", "1,005"), "Bedrag", "must have at most two decimals"),
        (_set("Bedrag", ""), "Bedrag", "must be there"),
        (_set("Bedrag", "#REF!"), "Bedrag", "must be a value, not an error of the spreadsheet"),
        (_set("Signaaldatum", "2026-02-09"), "Signaaldatum", "must be a date written %d-%m-%Y"),
        (_set("Signaaldatum", "09-02-2025"), "Signaaldatum", "must not lie more than 62 days before"),
        (_set("Soort signaal", "Kabel"), "Soort signaal", "must be a code of the list"),
        (_set("Gemeentecode", "GM34444"), "Gemeentecode", "must be four digits, with or without GM"),
        (_set("Achternaam", "Te\x07st"), "Achternaam", "must not hold control characters"),
        (_set("Signaalnummer", ""), "Signaalnummer", "must be there"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_column_and_rule(
    change: Callable[[list[list[str]]], None], column: str, rule: str, tmp_path: Path
) -> None:
    file = sample("vps", tmp_path)
    rows = cells(file)
    change(rows)
    write(file, rows)
    report, sent = imported("vps", file)
    assert (report.accepted, report.rejected, len(sent)) == (2, 1, 2)
    (reject,) = report.rejects
    assert (reject.row, ", ".join(reject.columns)) == (3, column)
    assert reject.rule.startswith(rule)
    beside = (tmp_path / "vps.csv.rejects.csv").read_text("utf-8")
    assert "\n3;" in beside
    for value in ("123456789", "12-45", "Te\x07st", "Kabel", "1.2345,00"):
        assert value not in beside


def test_a_header_without_a_mapped_column_refuses_the_file(tmp_path: Path) -> None:
    file = sample("vps", tmp_path)
    rows = cells(file)
    rows[0][rows[0].index("Geboortedatum")] = "Geboren"
    write(file, rows)
    report, sent = imported("vps", file)
    assert report.broken is not None
    assert report.broken.rule == "its header has no column Geboortedatum"
    assert sent == []


def test_excel_dates_and_numbers_are_read_as_they_are_and_formulas_refused(tmp_path: Path) -> None:
    file = sample("ris", tmp_path)
    workbook = load_workbook(file)
    sheet = workbook.active
    assert sheet is not None
    header = [cell.value for cell in sheet[1]]
    sheet.cell(2, header.index("Achterstand") + 1).value = "=100+50"
    sheet.cell(3, header.index("Meldingsdatum") + 1).value = 46062
    workbook.save(file)
    report, sent = imported("ris", file)
    assert [(one.row, one.columns, one.rule) for one in report.rejects] == [
        (2, ("Achterstand",), "must be a value, not a formula")
    ]
    second, third = signals(sent)
    assert str(second.signalled_on) == "2026-02-09"
    assert (second.arrears, third.arrears) == (9_900, 15_050)
    assert third.subject.bsn == "999990561"


def test_a_workbook_that_unpacks_to_far_more_than_it_is_is_refused(tmp_path: Path) -> None:
    file = sample("ris", tmp_path)
    bomb = tmp_path / "bom.xlsx"
    with zipfile.ZipFile(file) as known, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for part in known.infolist():
            if part.filename != "xl/worksheets/sheet1.xml":
                made.writestr(part.filename, known.read(part))
        with made.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(24):
                sheet.write(b" " * (1 << 20))
    report, sent = imported("ris", bomb)
    assert report.broken is not None
    assert "unpacks to far more than it is" in report.broken.rule
    assert sent == []


def test_a_workbook_whose_sheet_declares_entities_is_refused(tmp_path: Path) -> None:
    file, trap = sample("ris", tmp_path), tmp_path / "entiteit.xlsx"
    with zipfile.ZipFile(file) as known, zipfile.ZipFile(trap, "w") as made:
        for part in known.infolist():
            content = known.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                content = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + content
            made.writestr(part.filename, content)
    report, sent = imported("ris", trap)
    assert report.broken is not None
    assert sent == []


def test_a_row_far_beyond_what_a_sheet_holds_is_refused(tmp_path: Path) -> None:
    workbook, file = Workbook(), tmp_path / "ris.xlsx"
    sheet = workbook.active
    assert sheet is not None
    known = load_workbook(SAMPLES / "ris.xlsx").active
    assert known is not None
    sheet.append([cell.value for cell in known[1]])
    sheet.append(["x"])
    workbook.save(file)
    trap = tmp_path / "rij.xlsx"
    with zipfile.ZipFile(file) as made, zipfile.ZipFile(trap, "w") as changed:
        for part in made.infolist():
            content = made.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b'r="2"', b'r="99999999"').replace(b'r="A2"', b'r="A99999999"')
            changed.writestr(part.filename, content)
    report, _ = imported("ris", trap)
    assert report.broken is not None


@pytest.mark.parametrize("system", ["allegro", "ddas-signals", "ddas-trajectories", "ris"])
def test_half_a_file_is_refused_from_where_it_ends(system: str, tmp_path: Path) -> None:
    file = sample(system, tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    report, _ = imported(system, file)
    assert report.broken is not None
    assert not report.clean
    assert (tmp_path / f"{file.name}.rejects.csv").exists()


def test_half_a_csv_file_loses_its_last_row_only(tmp_path: Path) -> None:
    file = sample("vps", tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[:-40])
    report, sent = imported("vps", file)
    assert (report.accepted, report.rejected, len(sent)) == (2, 1, 2)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_xml_with_a_dtd_or_entities_is_refused(doctype: str, tmp_path: Path) -> None:
    file = sample("allegro", tmp_path)
    text = file.read_text("utf-8")
    file.write_text(text.replace("?>\n", f"?>\n{doctype}\n", 1), "utf-8")
    report, sent = imported("allegro", file)
    assert report.broken is not None
    assert report.broken.rule == "must have no DTD and no entities"
    assert sent == []


def test_json_that_is_nested_endlessly_or_absurd_is_refused_by_row(tmp_path: Path) -> None:
    file = sample("ddas-signals", tmp_path)
    content = json.loads(file.read_text("utf-8"))
    good = content["leveringen"][0]["vroegsignalen"][0]
    deep: object = "x"
    for _ in range(40):
        deep = {"a": deep}
    wide = {f"k{number}": 1 for number in range(9_000)}
    bad = [
        {**good, "ID": "D1", "diep": deep},
        {**good, "ID": "D2", **wide},
        {**good, "ID": "D3", "bedrag": 1e300},
    ]
    content["leveringen"][0]["vroegsignalen"] = [*bad, "tekst", good]
    file.write_text(json.dumps(content), "utf-8")
    report, sent = imported("ddas-signals", file)
    assert (report.rows, report.accepted, report.rejected) == (5, 1, 4)
    assert [one.signal_id for one in signals(sent)] == ["DDAS-1"]


def test_a_json_file_with_a_bom_is_read(tmp_path: Path) -> None:
    file = sample("ddas-signals", tmp_path)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert imported("ddas-signals", file)[0].clean


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_empty_file_is_refused(system: str, tmp_path: Path) -> None:
    file = tmp_path / SYSTEMS[system]
    file.write_bytes(b"")
    report, sent = imported(system, file)
    assert report.broken is not None
    assert sent == []
