import json
from pathlib import Path

import pytest
from signaalwissel.sinks.database import open_engine
from sqlalchemy import text

from tests.console.console_support import CommandLine
from tests.processors.followup_support import decision, regular
from tests.sinks.clock_support import Office


@pytest.fixture
def stored(database_url: str, bare_environment: pytest.MonkeyPatch) -> str:
    Office(database_url).store(decision(), regular("s-2"))
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", database_url)
    return database_url


@pytest.mark.usefixtures("stored")
def test_what_was_written_verifies_and_tells_where_chains_end(
    signaalwissel: CommandLine, tmp_path: Path
) -> None:
    ended = signaalwissel("audit", "verify", "--json")
    assert ended.code == 0
    assert (ended.json["ok"], ended.json["rows"]["decisions"]) == (True, 2)
    noted = tmp_path / "noted.json"
    noted.write_text(ended.out)
    assert signaalwissel("audit", "verify", "--noted", noted).code == 0
    said = json.loads(ended.out)
    said["heads"]["sink/0"]["hash"] = "00" * 32
    noted.write_text(json.dumps(said))
    ended = signaalwissel("audit", "verify", "--noted", noted)
    assert ended.code == 1
    assert "is not the one that was noted" in ended.out


def test_an_altered_row_is_named_and_ends_with_one(signaalwissel: CommandLine, stored: str) -> None:
    with open_engine(stored, name="test").begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE decisions SET reason = 'NO_TRAJECTORY' WHERE signal_id = 's-1'"))
    ended = signaalwissel("audit", "verify", "--json")
    assert ended.code == 1
    (finding,) = ended.json["findings"]
    assert "altered since block" in finding


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"heads": {"a": {"seq": "x", "hash": "zz"}}}'])
def test_a_file_that_is_no_earlier_answer_is_refused(
    signaalwissel: CommandLine, tmp_path: Path, content: str
) -> None:
    noted = tmp_path / "noted.json"
    noted.write_text(content)
    assert signaalwissel("audit", "verify", "--noted", noted).code == 2


def test_without_a_database_it_says_so(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert signaalwissel("audit", "verify").code == 3
