"""`topics plan|apply --acls` and `doctor` as an administrator and an operator use them."""

import json
import time
from pathlib import Path

import pytest
from signaalwissel.deploy.kafka_cluster import ADMIN

from tests.console.console_support import CommandLine, Ended
from tests.secured.secured_support import Secured

PREFIX = "commands-"
_SETTLED_BOUND_S = 90
_LOOKS = 4

pytestmark = pytest.mark.timeout(300)


def log_in(environment: pytest.MonkeyPatch, secured: Secured, principal: str, **others: str) -> None:
    common = {"TOPIC_PREFIX": PREFIX, "PARTITIONS": "1", "REPLICATION_FACTOR": "3"}
    for name in ("KAFKA_SECURITY_PASSWORD", "KAFKA_SECURITY_PASSWORD_FILE"):
        environment.delenv(f"SIGNAALWISSEL_{name}", raising=False)
    for name, value in {**common, **secured.variables(principal), **others}.items():
        environment.setenv(f"SIGNAALWISSEL_{name}", value)


def planned(signaalwissel: CommandLine, code: int) -> Ended:
    """What `topics plan --acls` says once every broker has heard of a change; fails where it does not end so."""
    agree = 0
    deadline = time.monotonic() + _SETTLED_BOUND_S
    while True:
        ended = signaalwissel("topics", "plan", "--acls")
        agree = agree + 1 if ended.code == code else 0
        if agree == _LOOKS:
            return ended
        assert time.monotonic() < deadline, ended


def test_rights_are_planned_made_and_taken_away(
    secured: Secured,
    signaalwissel: CommandLine,
    bare_environment: pytest.MonkeyPatch,
    publishers_file: Path,
    tmp_path: Path,
) -> None:
    principals = tmp_path / "principals.toml"
    principals.write_text('[roles]\nweb = ["stranger"]\n[task-systems]\ndesk = ["task-system"]\n')
    files = {"PUBLISHERS_FILE": str(publishers_file), "PRINCIPALS_FILE": str(principals)}
    log_in(bare_environment, secured, ADMIN, **files)
    dry = signaalwissel("topics", "apply", "--acls", "--dry-run", "--json")
    missing = [json.loads(line) for line in dry.out.splitlines()]
    assert dry.code == 1
    assert {line["what"] for line in missing if "topic" in line} == {"is missing"}
    assert {line["acl"] for line in missing if "acl" in line} == {"missing"}
    assert signaalwissel("topics", "plan", "--acls", "--json").out == dry.out, "a dry run made something"

    signaalwissel("topics", "apply", "--acls")
    made = planned(signaalwissel, 0)
    assert made.out == "all topics are as they must be\nall rights are as they must be\n"

    # The operator may look and not touch.
    log_in(bare_environment, secured, "signaalwissel-operator", **files)
    planned(signaalwissel, 0)
    principals.write_text('[roles]\nweb = []\n[task-systems]\ndesk = ["task-system"]\n')
    seen = signaalwissel("topics", "plan", "--acls")
    assert seen.code == 1
    told = "User:stranger: ALLOW WRITE on TOPIC commands-task-updates is not in the table of rights\n"
    assert told in seen.out
    denied = signaalwissel("topics", "apply", "--acls", "--remove-surplus")
    assert denied.code == 2
    assert "to change them takes a super user" in denied.err

    log_in(bare_environment, secured, ADMIN, **files)
    kept = signaalwissel("topics", "apply", "--acls")
    assert (kept.code, told in kept.out) == (1, True)
    signaalwissel("topics", "apply", "--acls", "--remove-surplus")
    planned(signaalwissel, 0)


def test_removing_goes_with_access_lists_only(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("topics", "apply", "--remove-surplus")
    assert ended.code == 2
    assert "goes with --acls" in ended.err


def test_doctor_tells_the_operator_what_rights_are_missing(
    secured: Secured, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    log_in(bare_environment, secured, ADMIN, TOPIC_PREFIX="doctor-")
    signaalwissel("topics", "apply", "--acls")
    log_in(bare_environment, secured, "signaalwissel-operator", TOPIC_PREFIX="doctor-")
    planned(signaalwissel, 0)
    found = {line["check"]: line for line in json.loads(signaalwissel("doctor", "--json").out)}
    assert found["access rights"]["ok"], found["access rights"]
    assert found["kafka security"]["detail"] == "SASL_SSL, host names are checked"
    assert found["topics"]["ok"], found["topics"]
    # He reads no input, so he is told how much waits and not since when.
    assert found["intake lag"]["ok"], found["intake lag"]

    log_in(bare_environment, secured, "signaalwissel-sink", TOPIC_PREFIX="doctor-")
    found = {line["check"]: line for line in json.loads(signaalwissel("doctor", "--json").out)}
    assert "may not see the access lists" in found["access rights"]["detail"]


def test_a_broker_without_access_lists_is_told(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch, kafka_bootstrap: str, topic_prefix: str
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", kafka_bootstrap)
    bare_environment.setenv("SIGNAALWISSEL_TOPIC_PREFIX", topic_prefix)
    ended = signaalwissel("topics", "plan", "--acls")
    assert ended.code == 2
    assert "keeps no access lists" in ended.err
