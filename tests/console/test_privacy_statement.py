import csv
import io
import shutil
from pathlib import Path

import pytest
from signaalwissel import processors

from tests.console.console_support import CommandLine

FILLED = """
[privacy]
organisation = "=Gemeente <Voorbeeld>"
website = "https://www.voorbeeld.nl/privacy"
contact_email = "privacy@voorbeeld.nl"
contact_phone = "030 123 45 67"
officer_email = "fg@voorbeeld.nl"
register_category = "Overige algoritmes"
register_status = "In gebruik"
"""


@pytest.fixture
def command(signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """A policy folder in which 0344 filled in everything and 0363 nothing."""
    shutil.copy(Path(next(iter(processors.__path__))) / "default.toml", tmp_path)
    (tmp_path / "0344.toml").write_text(FILLED, "utf-8")
    (tmp_path / "0363.toml").write_text("[window]\nmonths = 3\n", "utf-8")
    bare_environment.setenv("SIGNAALWISSEL_POLICY_DIR", str(tmp_path))
    return signaalwissel


def test_the_statement_is_markdown_unless_another_form_is_asked_for(command: CommandLine) -> None:
    ended = command("privacy-statement", "--municipality", "0344")
    assert ended.code == 0
    assert ended.out.startswith("# Privacyverklaring: hulp bij schulden en vroege meldingen\n\n")
    assert "6 maanden" in ended.out


def test_as_html_it_is_one_page_with_everything_escaped(command: CommandLine) -> None:
    ended = command("privacy-statement", "--municipality", "0344", "--format", "html")
    assert ended.out.startswith('<!DOCTYPE html>\n<html lang="nl">')
    assert "=Gemeente &lt;Voorbeeld&gt;" in ended.out
    assert "<Voorbeeld>" not in ended.out


def test_as_json_it_names_the_policy_it_was_made_from(command: CommandLine) -> None:
    ended = command("privacy-statement", "--municipality", "0344", "--json")
    assert ended.json["municipality"] == "0344"
    assert len(ended.json["policy_version"]) == 16
    assert ended.json["missing"] == []
    assert ended.json["content"]["title"].startswith("Privacyverklaring")


@pytest.mark.parametrize(
    ("kind", "first"),
    [("statement", "website"), ("algorithm-register", "register_category"), ("dpia", "officer_email")],
)
def test_while_something_is_missing_no_text_is_written(command: CommandLine, kind: str, first: str) -> None:
    ended = command("privacy-statement", "--municipality", "0363", "--kind", kind)
    assert (ended.code, ended.out) == (2, "")
    assert f"privacy.{first}" in ended.err
    assert "0363.toml" in ended.err


def test_a_draft_marks_what_is_missing(command: CommandLine) -> None:
    ended = command("privacy-statement", "--municipality", "0363", "--draft", "--json")
    assert ended.code == 0
    assert "privacy.website" in ended.json["missing"]
    assert "[NOG INVULLEN: privacy.website]" in ended.out
    assert "toetsen wij nog 3 maanden" in ended.out


def test_the_register_entry_is_one_row_and_no_text_is_a_formula(command: CommandLine) -> None:
    ended = command(
        "privacy-statement", "--municipality", "0344", "--kind", "algorithm-register", "--format", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert len(rows) == 1
    assert rows[0]["organization"] == "'=Gemeente <Voorbeeld>"
    assert rows[0]["publication_category"] == "Overige algoritmes"


def test_the_dpia_facts_are_a_row_per_field_and_place(command: CommandLine) -> None:
    ended = command("privacy-statement", "--municipality", "0344", "--kind", "dpia", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    as_json = command("privacy-statement", "--municipality", "0344", "--kind", "dpia", "--json").json[
        "content"
    ]
    assert [row["field"] for row in rows] == [line["field"] for line in as_json]
    assert {"signals", "tasks", "matcher/recents"} <= {row["store"] for row in rows}


def test_a_statement_is_no_table(command: CommandLine) -> None:
    ended = command("privacy-statement", "--municipality", "0344", "--format", "csv")
    assert (ended.code, ended.out) == (2, "")
    assert "choose markdown, html or json" in ended.err


def test_a_municipality_without_a_policy_has_no_statement(command: CommandLine) -> None:
    ended = command("privacy-statement", "--municipality", "9999")
    assert ended.code == 2
    assert "municipality 9999: no policy" in ended.err
