"""`web` as a process: from the login to a task update on Kafka that the sink can apply, and refusals at its start."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from signaalwissel.console.accounting import Accounting
from signaalwissel.console.connections import Writer
from signaalwissel.console.metrics_http import WEB
from signaalwissel.console.replaying import NotReplayable
from signaalwissel.console.web import LetterActions, _engine
from signaalwissel.deploy.ports import free_ports
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.row_security import grant_reader
from signaalwissel.sources.generator import generate
from sqlalchemy import text

from tests.console.console_support import CommandLine, Installation, source
from tests.console.metrics_support import every_page
from tests.console.metrics_support import value as sample
from tests.console.webpages.web_support import Visitor, counsellor_choice

TASK = (
    "INSERT INTO tasks (task_id, version, kind, status, municipality, assignee, team, due_on, opened_on,"
    " policy_version) VALUES ('t-1', 1, 'MONTHLY_CONTACT', 'OPEN', '0344', 'sh-7', 'team-oost', :day, :day, 'v')"
)


class Running(NamedTuple):
    address: str
    metrics: str
    process: "subprocess.Popen[str]"


@contextmanager
def running(installation: Installation) -> Iterator["Running"]:
    port, beside = free_ports(2)
    trying = {
        "DEVELOPMENT_LOGIN": "true",
        "EVERY_MUNICIPALITY": "true",
        "WEB_PORT": str(port),
        "HEALTH_PORT": str(beside - WEB),
    }
    variables = {
        f"SIGNAALWISSEL_{name}": value for name, value in {**installation.variables, **trying}.items()
    }
    with subprocess.Popen(
        [sys.executable, "-m", "signaalwissel.console", "web"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **variables},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"web listens on 127.0.0.1:{port}\n"
            yield Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{beside}/metrics", process)
        finally:
            process.kill()


def test_a_report_on_a_page_is_a_task_update_on_kafka_and_a_stop_ends_with_0(
    installation: Installation,
) -> None:
    grant_reader(installation.engine)
    with installation.engine.begin() as connection:
        connection.execute(text(TASK), {"day": date(2026, 1, 1)})
    with (
        running(installation) as (address, metrics, process),
        httpx.Client(base_url=address, timeout=30) as browser,
    ):
        assert browser.get("/readyz").status_code == 200
        mine = Visitor(browser, **counsellor_choice())
        assert "Maandelijks contact" in mine.get("/taken").text
        answer = mine.report("t-1", "CONTACT_MADE", kanaal="PHONE")
        assert answer.status_code == 303, answer.text
        (record,) = installation.records("task-updates", 1)
        update = codec("TaskUpdate").decode(record.value)
        assert (record.key, update.task_id, update.kind, update.by) == (b"t-1", "t-1", "CONTACT_MADE", "sh-7")
        assert "Uw melding is aangekomen" in mine.get("/taken/t-1", gemeld="true").text
        counted = {family.name: family for family in families(httpx.get(metrics).text)}
        shown = counted["http_server_request_duration_seconds"]
        assert sample(shown, http_route="/taken/{task_id}", http_response_status_code="200") >= 1
        assert counted.keys() == every_page()["web"].keys()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_the_look_at_doctor_s_findings_works_under_a_running_event_loop(installation: Installation) -> None:
    grant_reader(installation.engine)
    with running(installation) as (address, _, _), httpx.Client(base_url=address, timeout=60) as browser:
        operator = Visitor(browser, role="operator")
        page = operator.counted("/beheer")
        assert re.search(r"kafka</td>\s*<td[^>]*><span[^>]*>goed", page), page


@pytest.mark.parametrize(
    ("topic", "goes"),
    [("signals", True), ("trajectories.casus", True), ("task-updates", True)]
    + [(topic, False) for topic in ("resident-events", "intake-commands", "decisions", "trajectory-states")],
)
def test_the_pages_leave_dead_letters_of_internal_topics_to_the_operator(
    stored: Installation, topic: str, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = stored.refuse(source(topic))
    settings = stored.settings
    actions = LetterActions(settings, stored.engine, stored.keys, Accounting(settings))
    sent: list[str] = []
    monkeypatch.setattr(Writer, "send_original", lambda _writer, name, _record: sent.append(name))
    if goes:
        actions.replay(letter.dead_letter_id, "somebody")
    else:
        with pytest.raises(NotReplayable, match="internal; the operator replays it"):
            actions.replay(letter.dead_letter_id, "somebody")
    assert len(sent) == goes
    assert stored.status(letter) == ("replayed" if goes else "open")


def test_without_anybody_who_may_come_in_it_does_not_start(
    signaalwissel: CommandLine, installation: Installation
) -> None:
    grant_reader(installation.engine)
    ended = signaalwissel("web")
    assert ended.code == 2
    assert "SIGNAALWISSEL_ACCESS_FILE is not set" in ended.err


def test_without_the_reader_role_it_does_not_start(
    signaalwissel: CommandLine, installation: Installation, bare_environment: pytest.MonkeyPatch
) -> None:
    given = {
        "DATABASE_READER_ROLE": "nobody_has_it",
        "DEVELOPMENT_LOGIN": "true",
        "EVERY_MUNICIPALITY": "true",
    }
    for name, value in given.items():
        bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
    ended = signaalwissel("web")
    assert ended.code == 2
    assert "access grant-reader" in ended.err


def test_a_dead_letter_is_mended_on_the_page_and_every_look_is_on_record(installation: Installation) -> None:
    grant_reader(installation.engine)
    line = next(
        line for line in generate(50, 20, 1, bad=0, municipalities=("0344",)) if line["topic"] == "signals"
    )
    schema = codec("EarlySignal")
    sent = schema.from_json({**line["value"], "arrears": "-5.00"})
    letter = installation.refuse(source(value=schema.encode(sent)))
    path = f"/berichten/{letter.dead_letter_id}"
    with running(installation) as (address, _, _), httpx.Client(base_url=address, timeout=30) as browser:
        officer = Visitor(browser, role="privacy-officer")
        page = officer.post(f"{path}/openen").text
        assert 'value="-5.00"' in page
        assert sent.subject.bsn not in page
        answer = officer.post(f"{path}/herstel", arrears="-6.00")
        assert (answer.status_code, "arrears" in answer.text) == (409, True)
        answer = officer.post(f"{path}/herstel", arrears="6.00")
        assert answer.status_code == 303, answer.text
    (record,) = installation.records("signals", 1)
    assert schema.to_json(schema.decode(record.value)) == {**schema.to_json(sent), "arrears": "6.00"}
    with installation.engine.connect() as connection:
        kinds = connection.execute(
            text("SELECT kind FROM audit_events WHERE actor = :who ORDER BY event_id"),
            {"who": officer.subject},
        ).scalars()
        # A look, a refused attempt with the look at the form again, and the one that was sent.
        assert list(kinds) == ["SEALED_OPENED"] * 4 + ["DEAD_LETTER_REPLAYED"]


def test_no_statement_of_the_pages_runs_without_end(stored: Installation) -> None:
    with _engine(stored.settings).connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "30s"
