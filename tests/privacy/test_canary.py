"""The canary run: residents go through every path, and are found on the input topics alone (design 7).

What stays is looked through as it lies there: segments of Kafka, tables, pages and WAL of PostgreSQL, RocksDB, logs at
DEBUG, what other systems got, and the environment of our processes.
"""

import json
import re
from pathlib import Path

import pytest
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.sinks.database import open_engine
from sqlalchemy import text

from tests.privacy import haystacks, people
from tests.privacy.conftest import Ran
from tests.privacy.detector import Detector, Finding, files_below, report
from tests.privacy.visits import exports_of, imports_of

pytestmark = pytest.mark.timeout(600)

INPUTS = ("signals", "signals-moved", people.PUBLISHER_TOPIC, "trajectories", "trajectories-moved")
_TOPIC = re.compile(r"^(?:segment |topic )(?:canary-)?(?P<topic>.+?)(?:-\d+/|\[)")
_BROKEN_UPDATE = "task-updates"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(people.EVERYBODY)


def topic_of(finding: Finding) -> str:
    found = _TOPIC.match(finding.place)
    return found["topic"] if found else finding.place


def elsewhere(findings: list[Finding]) -> str:
    """What lies on no input topic, as a report; the broken task update is an input too, with one resident in it."""
    return report(
        one
        for one in findings
        if topic_of(one) not in INPUTS
        and not (topic_of(one) == _BROKEN_UPDATE and one.needle.canary.startswith("5."))
    )


def test_every_path_was_walked(ran: Ran) -> None:
    product = ran.town.product
    reasons = {decision.signal_id: decision.reason.value for decision in product.decisions()}
    assert {
        "S-hit",
        "S-crisis",
        "S-regular",
        "S-address",
        "S-late",
        "S-foreign",
        "S-crash",
        "S-moved",
        "S-mended",
        "S-gateway",
        "S-imported",
        "S-rotated",
    } <= set(reasons)
    assert {"NO_TRAJECTORY"} < set(reasons.values())
    codes = {letter.code for letter in product.dead_letters()}
    assert codes == {code.value for code in RejectionCode} - {"ORPHANED_EVENT", "UNKNOWN_SIGNAL"}
    assert len(product.read("signals-moved")) > 0
    corrected = [*product.read("counsellor-corrections"), *product.read("regular-corrections")]
    assert len(corrected) > 0
    assert ran.town.crash_status not in {0, None}
    assert (
        sum(
            decision.signal_id.startswith("S-crowd-") and decision.revision == 0
            for decision in product.decisions()
        )
        > 0
    )
    assert ran.town.open_klant.tasks
    assert ran.town.collector.spans


def test_residents_used_their_rights(ran: Ran) -> None:
    with open_engine(ran.town.product.database_url, name="test").connect() as connection:
        rows = connection.execute(text("SELECT kind, found FROM subject_requests")).all()
    found = {row.kind: row.found for row in rows}
    assert {"EXPORT", "OBJECT", "ERASE"} <= found.keys()
    assert found["ERASE"]["signals"] > 0


def test_an_export_lies_where_it_was_asked_for_and_tells_of_nobody_else(ran: Ran, detector: Detector) -> None:
    files = files_below(exports_of(ran.town))
    assert {file.suffix for file in files} == {".json", ".html"}
    found = detector.in_files(files, lambda file: file.name)
    assert {one.place for one in found} == {file.name for file in files}
    assert {one.needle.canary.partition(".")[0] for one in found} == {"1"}


def test_what_an_import_refuses_is_told_by_row_and_rule_alone(ran: Ran, detector: Detector) -> None:
    rejects = [file for file in files_below(imports_of(ran.town)) if file.name.endswith(".rejects.csv")]
    assert rejects
    assert report(detector.in_files(rejects, lambda file: file.name)) == ""


def test_answers_over_http_hold_no_resident(ran: Ran, detector: Detector) -> None:
    answers = [one for one in ran.town.seen if one.place.startswith(("gateway answer ", "page "))]
    assert len(answers) > 20
    assert report(detector.search(answers)) == ""


def test_who_may_open_a_seal_reads_the_resident_in_it(ran: Ran) -> None:
    opened = [json.loads(line) for line in ran.town.opened if line]
    assert {one["subject"]["bsn"] for one in opened} <= {
        people.value_of(p, "bsn") for p in people.PEOPLE.values()
    }
    assert len(opened) == 2


def test_records_hold_residents_on_the_input_topics_alone(ran: Ran, detector: Detector) -> None:
    product = ran.town.product
    found = detector.search(haystacks.records(product.bootstrap, product.prefix))
    assert {topic_of(one) for one in found} == {*INPUTS, _BROKEN_UPDATE} - {"trajectories-moved"}
    assert elsewhere(found) == ""


def test_segments_of_the_broker_hold_residents_on_the_input_topics_alone(
    ran: Ran, detector: Detector
) -> None:
    folder = ran.kafka_folder
    files = [*files_below(folder / "data"), folder / "server.log"]
    found = detector.in_files(
        files,
        lambda file: (
            f"segment {file.relative_to(folder / 'data' if folder / 'data' in file.parents else folder)}"
        ),
    )
    assert {topic_of(one) for one in found} >= {"signals", "trajectories", "signals-moved"}
    assert elsewhere(found) == ""


def test_tables_hold_no_resident(ran: Ran, detector: Detector) -> None:
    assert elsewhere(detector.search(ran.town.seen)) == ""
    with open_engine(ran.town.product.database_url, name="test").connect() as connection:
        hay = list(haystacks.tables(connection))
    assert len(hay) > 1000
    assert elsewhere(detector.search(hay)) == ""


def test_pages_wal_and_log_of_the_database_hold_no_resident(ran: Ran, detector: Detector) -> None:
    with open_engine(ran.town.product.database_url, name="test").connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("CHECKPOINT"))
    folder = ran.postgres_folder
    files = [*files_below(folder / "data"), folder / "server.log"]
    assert any("pg_wal" in file.parts for file in files)
    assert elsewhere(detector.in_files(files, lambda file: f"database {file.relative_to(folder)}")) == ""


def test_tables_on_disk_keys_and_logs_at_debug_hold_no_resident(ran: Ran, detector: Detector) -> None:
    folder = ran.town.product.folder
    logs = [file for file in files_below(folder) if file.suffix in {".log", ".out", ".err"}]
    assert any('"level": "debug"' in file.read_text("utf-8", "replace") for file in logs)
    assert elsewhere(detector.in_files(files_below(folder), lambda file: str(file.relative_to(folder)))) == ""
    stored = list(haystacks.rocks(folder / "state"))
    assert len(stored) > 10
    assert elsewhere(detector.search(stored)) == ""


def test_a_crash_in_a_handler_tells_where_and_not_whom(ran: Ran) -> None:
    logs = [file.read_text("utf-8") for file in Path(ran.town.product.folder).glob("intake-*.log")]
    (crashed,) = [log for log in logs if "RuntimeError" in log]
    assert "_stumble" in crashed
    assert "its text is withheld" in crashed


def test_other_systems_get_no_resident(ran: Ran, detector: Detector) -> None:
    assert elsewhere(detector.search(ran.town.told_to_others())) == ""


def test_environment_and_command_lines_hold_no_resident(ran: Ran, detector: Detector) -> None:
    seen = [one for one in ran.town.seen if one.place.startswith("process ")]
    assert len(seen) >= 10
    assert elsewhere(detector.search(seen)) == ""
