"""Intake, matcher and sink with nothing but their own rights route every signal exactly once."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from signaalwissel.console.lag import stream_lag
from signaalwissel.deploy.kafka_cluster import Login
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, REGULAR_FLOW, TASKS
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.health import health

from tests.secured.secure import Secure, secure_installation
from tests.secured.secured_support import WHOLE, Secured
from tests.system.lines import OTHER_BSN, applied, signal

pytestmark = pytest.mark.timeout(400)

_SIGNALS = 30
_PARTNER = {"partner_id": "water-west", "kind": "WATER"}


@pytest.fixture(params=list(Login) if WHOLE else [Login.MTLS])
def secure(
    request: pytest.FixtureRequest,
    secured: Secured,
    database_url: str,
    topic_prefix: str,
    publishers_file: Path,
    tmp_path: Path,
) -> Iterator[Secure]:
    with secure_installation(
        secured, request.param, tmp_path,
        publishers_file=publishers_file, database_url=database_url, topic_prefix=topic_prefix,
    ) as made:  # fmt: skip
        yield made


def of_a_publisher(line: Line, publisher: str) -> Line:
    return {**line, "topic": f"{line['topic']}.{publisher}"}


def lines_in(folder: Path, name: str, lines: list[Line]) -> str:
    file = folder / name
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(file)


def test_the_whole_pipeline_runs_with_its_own_rights_and_routes_each_signal_once(
    secure: Secure, tmp_path: Path, database_url: str
) -> None:
    hits = [signal(f"hit-{n}", "2026-02-10", partner=_PARTNER) for n in range(_SIGNALS)]
    others = [
        signal(f"other-{n}", "2026-02-10", partner=_PARTNER, subject={"bsn": OTHER_BSN})
        for n in range(_SIGNALS)
    ]
    foreign = signal("foreign", "2026-02-10", partner={**_PARTNER, "partner_id": "somebody-else"})
    opened = [of_a_publisher(applied("2026-01-01"), "casus")]
    sent = [of_a_publisher(line, "water-west") for line in (*hits, *others, foreign)]
    secure.done("publisher-casus", "publish", lines_in(tmp_path, "opened.jsonl", opened))
    secure.start("signaalwissel-intake", "worker", "--only", "intake")
    secure.start("signaalwissel-matcher", "worker", "--only", "matcher")
    secure.start("signaalwissel-sink", "sink")
    secure.done("publisher-water-west", "publish", lines_in(tmp_path, "sent.jsonl", sent))

    followed = secure.read("task-system", "task-system", COUNSELLOR_FOLLOWUP, _SIGNALS)
    regular = secure.read("early-signalling", "early-signalling", REGULAR_FLOW, _SIGNALS)
    tasks = secure.read("task-system", "task-system", TASKS, 1)

    assert Counter(codec("RoutedSignal").decode(record.value).signal_id for record in followed) == Counter(
        line["value"]["signal_id"] for line in hits
    )
    assert Counter(codec("RoutedSignal").decode(record.value).signal_id for record in regular) == Counter(
        line["value"]["signal_id"] for line in others
    )
    assert codec("TaskEvent").decode(tasks[0].value).municipality == "0344"
    # The operator sees the lag without the right to read a record.
    operator = secure.settings("signaalwissel-operator")
    engine = open_engine(database_url, name="test")
    secure.until(lambda: bool(health(engine).dead_letters) and not stream_lag(operator), "all is read")
    assert sum(health(engine).dead_letters.values()) == 1
    assert secure.stop() == [0, 0, 0], secure.logs()
