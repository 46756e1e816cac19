"""Traps and halves in Excel, XML and JSON: refused, and nothing of them is sent."""

import json
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.sources.import_support import SAMPLES, SYSTEMS, imported, sample, signals


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


def test_a_workbook_that_counts_days_from_another_year_is_refused(tmp_path: Path) -> None:
    file = sample("ris", tmp_path)
    workbook = load_workbook(file)
    workbook.epoch = CALENDAR_MAC_1904
    workbook.save(file)
    report, sent = imported("ris", file)
    assert report.broken is not None
    assert "1904" in report.broken.rule
    assert sent == []


def test_an_xml_record_without_end_is_refused_alone(tmp_path: Path) -> None:
    file = sample("allegro", tmp_path)
    text = file.read_text("utf-8")
    whole, _ = imported("allegro", file)
    begin = text.index("<Dossier>") if "<Dossier>" in text else text.index("<Dossier ")
    end = text.index("</Dossier>") + len("</Dossier>")
    wide = text[begin:end].replace("</Dossier>", "<x a='1'>1</x>" * 20_000 + "</Dossier>")
    file.write_text(text[:begin] + wide + text[begin:], "utf-8")
    report, sent = imported("allegro", file)
    assert (report.rows, report.accepted, report.rejected) == (whole.rows + 1, whole.rows, 1)
    assert [(one.row, one.rule) for one in report.rejects] == [(1, "is too large")]
    assert sent


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
