"""`gateway` as a process: from a token to a record on Kafka, and refusals at its start."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from signaalwissel.console.checking import checker
from signaalwissel.console.gateway import _engine, _task_owners
from signaalwissel.console.metrics_http import GATEWAY
from signaalwissel.deploy.ports import free_ports
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.sinks import ledger
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.row_security import grant_reader
from sqlalchemy import text

from tests.benchmarks.gateway_load import Load, new_signals
from tests.console.console_support import CommandLine, Installation
from tests.console.metrics_support import every_page
from tests.console.metrics_support import value as sample
from tests.sources.gateway_support import Outlet, client, update
from tests.sources.gateway_support import signal as a_signal

TRYING = {"DEVELOPMENT_LOGIN": "true", "EVERY_MUNICIPALITY": "true", "GATEWAY_PORT": "0"}
MANY = {"HTTP_RATE_PER_S": "1000000"}
"""One client may send all that there is."""


class Running(NamedTuple):
    address: str
    metrics: str
    token: str
    process: "subprocess.Popen[str]"

    def post(self, path: str, body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.post(f"{self.address}/v1/{path}", json=body, headers=headers, timeout=30)


@contextmanager
def running(installation: Installation, *options: str, **settings: str) -> Iterator[Running]:
    (port,) = free_ports(1)
    trying = {**TRYING, "HEALTH_PORT": str(port - GATEWAY), **settings}
    variables = {
        f"SIGNAALWISSEL_{name}": value for name, value in {**installation.variables, **trying}.items()
    }
    with subprocess.Popen(
        [sys.executable, "-m", "signaalwissel.console", "gateway", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            place = json.loads(line)
            for told in process.stderr:
                found = re.fullmatch(r"export SIGNAALWISSEL_TOKEN=(\S+)\n", told)
                if found is not None:
                    break
            else:
                raise AssertionError("it printed no token")
            # A line for each request: nobody else empties the pipe, and a full one would hold the gateway up.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            address = f"http://{place['host']}:{place['port']}"
            yield Running(address, f"http://127.0.0.1:{port}/metrics", found[1], process)
        finally:
            process.kill()


def test_records_go_from_http_onto_kafka_and_a_stop_ends_with_0(installation: Installation) -> None:
    grant_reader(installation.engine)
    with installation.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tasks (task_id, version, kind, status, municipality, team, due_on, opened_on,"
                " policy_version) SELECT id, 1, 'VERIFY_IDENTITY', 'OPEN', code, 't', '2026-01-01', '2026-01-01', 'v'"
                " FROM (VALUES ('t-1', '0344'), ('t-2', '9999')) AS v (id, code)"
            )
        )
    with running(installation) as gateway:
        assert httpx.get(f"{gateway.address}/livez").status_code == 200
        assert httpx.get(f"{gateway.address}/readyz").status_code == 200
        assert httpx.post(f"{gateway.address}/v1/signalen", json=a_signal()).status_code == 401
        assert gateway.post("signalen", a_signal(municipality="GM0344")).status_code == 202
        assert gateway.post("signalen", a_signal(municipality="9999")).status_code == 403
        assert gateway.post("taakupdates", update()).status_code == 202
        assert gateway.post("taakupdates", update(task_id="t-2")).status_code == 404
        counted = {family.name: family for family in families(httpx.get(gateway.metrics).text)}
        taken = counted["http_server_request_duration_seconds"]
        assert sample(taken, http_route="/v1/signalen", http_response_status_code="202") == 1
        assert sample(taken, http_route="/v1/signalen", http_response_status_code="403") == 1
        assert counted.keys() == every_page()["gateway"].keys()
        # Not on the port that partners reach.
        assert httpx.get(f"{gateway.address}/metrics").status_code == 404
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
    [stored] = installation.records("signals", 1)
    assert codec("EarlySignal").decode(stored.value).municipality == "0344"
    assert stored.key == b"water-west/S-1"
    assert [record.key for record in installation.records("task-updates", 1)] == [b"t-1"]


def test_under_a_load_of_1000_a_second_no_answer_is_5xx_and_what_was_acknowledged_is_on_the_topic_once(
    installation: Installation,
) -> None:
    grant_reader(installation.engine)
    with running(installation, **MANY) as gateway:
        port = int(gateway.address.rpartition(":")[2])
        load = Load(port, gateway.token, "signalen", new_signals("load"), duration_s=3.0)
        asyncio.run(load.run(1000))
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
    assert load.statuses.keys() == {202}
    taken = [json.loads(body)["signal_id"] for body in load.taken]
    stored = installation.records("signals", installation.end_offsets("signals"))
    assert len(taken) == load.statuses[202] >= 1000
    assert Counter(read_early_signal(one.value).signal_id for one in stored) == Counter(taken)


def test_without_access_settings_the_gateway_does_not_start(
    signaalwissel: CommandLine, installation: Installation
) -> None:
    ended = signaalwissel("gateway")
    assert ended.code == 2
    assert "ACCESS_FILE" in ended.err


def test_without_the_readers_role_the_gateway_does_not_start(
    signaalwissel: CommandLine, installation: Installation, bare_environment: pytest.MonkeyPatch
) -> None:
    for name, value in TRYING.items():
        bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_READER_ROLE", "nobody_made_this_role")
    ended = signaalwissel("gateway")
    assert ended.code == 2
    assert "grant-reader" in ended.err


def test_without_kafka_the_gateway_ends_with_3(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    for name, value in {**TRYING, "KAFKA_BOOTSTRAP": "127.0.0.1:1", "GATEWAY_ANSWER_S": "1"}.items():
        bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
    ended = signaalwissel("gateway")
    assert ended.code == 3
    assert "127.0.0.1:1" in ended.err


def test_the_openapi_document_is_printed_without_any_service(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("gateway", "--openapi")
    assert ended.code == 0
    assert set(ended.json["paths"]) == {"/signalen", "/trajectgebeurtenissen", "/taakupdates", "/toetsen"}


def test_several_processes_answer_on_one_address_and_stop_together(installation: Installation) -> None:
    grant_reader(installation.engine)
    with running(installation, "--processes", "2") as gateway:
        answers = [gateway.post("signalen", a_signal(signal_id=f"S-{number}")) for number in range(20)]
        assert {answer.status_code for answer in answers} == {202}
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(60) == 0
    stored = {record.key for record in installation.records("signals", 20)}
    assert stored == {f"water-west/S-{number}".encode() for number in range(20)}


def test_what_ends_one_of_several_processes_ends_the_gateway() -> None:
    variables = {**TRYING, "KAFKA_BOOTSTRAP": "127.0.0.1:1", "GATEWAY_ANSWER_S": "1"}
    env = {**os.environ, **{f"SIGNAALWISSEL_{name}": value for name, value in variables.items()}}
    command = [sys.executable, "-m", "signaalwissel.console", "gateway", "--processes", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert ended.returncode == 3
    assert "127.0.0.1:1" in ended.stderr


def test_a_check_is_answered_from_the_database_and_put_on_record(installation: Installation) -> None:
    grant_reader(installation.engine)
    with running(installation, GATEWAY_CHECKS="true") as gateway:
        answer = gateway.post("toetsen", [a_signal(), a_signal(municipality="9999")])
        assert [one["status"] for one in answer.json()["results"]] == [200, 403]
        assert answer.json()["results"][0]["route"] == "REGULAR_FLOW"
    with installation.engine.connect() as connection:
        assert connection.execute(text("SELECT sum(lines) FROM processing_log")).scalar_one() == 1
        events = connection.execute(text("SELECT kind, actor FROM audit_events")).all()
    assert [(kind, actor.rpartition("#")[2]) for kind, actor in events] == [("RESIDENTS_CHECKED", "proef")]


def test_checks_without_a_database_are_refused_at_the_start(
    signaalwissel: CommandLine, installation: Installation, bare_environment: pytest.MonkeyPatch
) -> None:
    for name, value in {**TRYING, "GATEWAY_CHECKS": "true"}.items():
        bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
    bare_environment.delenv("SIGNAALWISSEL_DATABASE_URL")
    ended = signaalwissel("gateway")
    assert ended.code == 2
    assert "GATEWAY_CHECKS" in ended.err


@pytest.fixture
def impatient(stored: Installation) -> Database:
    """The gateway's way to the database, where it gives a statement a second."""
    grant_reader(stored.engine)
    engine = _engine(stored.settings.model_copy(update={"gateway_answer_s": 1.0}))
    assert engine is not None
    return engine


def assert_says_later(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0


def test_a_task_update_whose_task_is_not_looked_up_in_time_is_answered_with_503_and_sends_nothing(
    stored: Installation, impatient: Database
) -> None:
    outlet = Outlet()
    sender = client(outlet, tasks=_task_owners(stored.settings, impatient))
    with stored.engine.begin() as connection:
        connection.execute(text("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"))
        assert_says_later(sender.post("/v1/taakupdates", json=update()))
    assert outlet.sent == []
    # There is no such task: it was looked up.
    assert sender.post("/v1/taakupdates", json=update()).status_code == 404


def test_a_check_that_is_not_looked_up_in_time_is_answered_with_503_and_not_looked_up_again(
    stored: Installation, impatient: Database
) -> None:
    asks = checker(stored.settings, impatient, ledger.GATEWAY, stored.settings.database_reader_role)
    asking = client(subject="ris", asks=asks)
    # Its connection stays open.
    assert asking.post("/v1/toetsen", json=a_signal()).status_code == 200
    with stored.engine.begin() as connection:
        connection.execute(text("LOCK TABLE trajectory_keys IN ACCESS EXCLUSIVE MODE"))
        assert_says_later(asking.post("/v1/toetsen", json=a_signal()))
    assert asking.post("/v1/toetsen", json=a_signal()).status_code == 200
    with stored.engine.connect() as connection:
        # One for each of the three: a second try of the one in between would have put it on record twice.
        assert connection.execute(text("SELECT sum(lines) FROM processing_log")).scalar_one() == 3
    asks.close()
