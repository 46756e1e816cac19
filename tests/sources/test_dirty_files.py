"""Dirty tables: every row ends accepted or refused, with its number and the reason; nothing is guessed."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.file_import import FileImport
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.profile_loading import load_profile
from signaalwissel.sources.row_import import RowImport, Rules

from tests.sources.import_support import RECEIVED, SYSTEMS, imported, sample, signals


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


@pytest.mark.parametrize("damage", ["cut off", "one byte of another encoding", "a mark and a cut"])
def test_utf_8_that_is_damaged_is_refused_and_not_read_as_something_else(damage: str, tmp_path: Path) -> None:
    file = sample("vps", tmp_path)
    whole = file.read_bytes().removeprefix(b"\xef\xbb\xbf").replace("€ ".encode(), b"")
    name = whole.index("Ü".encode())
    if damage == "one byte of another encoding":
        file.write_bytes(whole.replace(b"Testpersoon", b"Testpers\xebn", 1))
    else:
        again = whole + whole.splitlines(keepends=True)[2][: name - whole.index(b"0344;VPS-2") + 1]
        file.write_bytes((b"\xef\xbb\xbf" if damage == "a mark and a cut" else b"") + again)
    report, sent = imported("vps", file)
    assert report.broken is not None
    assert report.broken.rule.startswith("is in UTF-8, but damaged or cut off")
    assert sent == []


def test_a_letter_of_another_encoding_alone_is_read_in_that_encoding(tmp_path: Path) -> None:
    file = sample("vps", tmp_path)
    write(file, cells(file))
    file.write_bytes(
        file.read_bytes()
        .replace("Ü".encode(), b"U")
        .replace("€ ".encode(), b"")
        .replace(b"Nergens", b"Nerg\xebns")
    )
    report, sent = imported("vps", file)
    assert report.clean
    assert signals(sent)[2].subject.surname == "Nergëns"


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


def test_a_cell_too_many_refuses_the_row_also_where_the_last_cells_are_empty(tmp_path: Path) -> None:
    file = sample("stratech", tmp_path)
    rows = cells(file)
    # A cell of a service slides on to its end, where a date may stand as well.
    rows[1].insert(rows[0].index("Budgetbeheer vanaf"), "")
    assert rows[1][-1] == ""
    write(file, rows)
    report, _ = imported("stratech", file)
    assert [(one.row, one.rule) for one in report.rejects] == [(2, "has 37 columns, the header 36")]


def test_a_delimiter_at_the_end_of_every_line_is_no_column(tmp_path: Path) -> None:
    file = sample("stratech", tmp_path)
    write(file, [[*row, ""] for row in cells(file)])
    assert imported("stratech", file)[0].clean


def test_a_header_without_a_mapped_column_refuses_the_file(tmp_path: Path) -> None:
    file = sample("vps", tmp_path)
    rows = cells(file)
    rows[0][rows[0].index("Geboortedatum")] = "Geboren"
    write(file, rows)
    report, sent = imported("vps", file)
    assert report.broken is not None
    assert report.broken.rule == "its header has no column Geboortedatum"
    assert sent == []
