"""`schemas` against a real registry, and what a process does that cannot get its ids."""

import json
from collections.abc import Iterator

import httpx
import pytest
from signaalwissel.console.environment import settings
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.registry_ids import adopt
from signaalwissel.processors.contract_topics import RECORD_ON, committed_on
from signaalwissel.schemas.contract import codec, use_registry_ids

from tests.console.console_support import CommandLine


@pytest.fixture(autouse=True)
def _fixed_ids_afterwards() -> Iterator[None]:
    yield
    use_registry_ids({})


@pytest.fixture
def registry(
    schema_registry: str, topic_prefix: str, bare_environment: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """The registry, which the settings name, under a prefix of the test's own."""
    bare_environment.setenv("SIGNAALWISSEL_SCHEMA_REGISTRY_URL", schema_registry)
    bare_environment.setenv("SIGNAALWISSEL_TOPIC_PREFIX", topic_prefix)
    with httpx.Client(base_url=schema_registry) as client:
        yield client


def test_without_a_registry_the_versions_are_compared_with_each_other(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("schemas", "check")
    assert ended.code == 0
    assert "no registry is set" in ended.out


def test_register_needs_a_registry(signaalwissel: CommandLine) -> None:
    assert signaalwissel("schemas", "register").code == 2


def test_a_dry_run_registers_nothing(signaalwissel: CommandLine, registry: httpx.Client) -> None:
    wanted = sum(1 + len(committed_on(topic)) for topic in RECORD_ON)
    assert len(signaalwissel("schemas", "register", "--dry-run", "--json").lines) == wanted
    assert signaalwissel("schemas", "check").code == 1


def test_register_fills_every_subject_once_and_has_the_registry_keep_versions_readable(
    signaalwissel: CommandLine, registry: httpx.Client, topic_prefix: str
) -> None:
    first = signaalwissel("schemas", "register", "--json")
    assert first.code == 0
    ids = {line["subject"]: line["id"] for line in first.lines if "id" in line}
    assert set(ids) == {f"{topic_prefix}{topic}-value" for topic in RECORD_ON}
    assert signaalwissel("schemas", "register", "--json").lines == []
    assert signaalwissel("schemas", "check").code == 0

    subject = f"{topic_prefix}signals-value"
    held = json.loads(registry.get(f"/schemas/ids/{ids[subject]}").json()["schema"])
    held["fields"].append({"name": "without_default", "type": "string"})
    refused = registry.post(f"/subjects/{subject}/versions", json={"schema": json.dumps(held)})
    assert refused.status_code == 409

    held["fields"][-1]["default"] = ""
    registry.post(f"/subjects/{subject}/versions", json={"schema": json.dumps(held)}).raise_for_status()
    (finding,) = signaalwissel("schemas", "check", "--json").lines
    assert finding["subject"] == subject
    assert "version 2 there is not of this program" in finding["what"]


def test_doctor_tells_what_the_registry_lacks(signaalwissel: CommandLine, registry: httpx.Client) -> None:
    def found() -> dict[str, object]:
        (line,) = [one for one in signaalwissel("doctor", "--json").json if one["check"] == "schema registry"]
        assert isinstance(line, dict)
        return line

    assert found()["fix"] == "run `signaalwissel schemas register`"
    signaalwissel("schemas", "register")
    assert found()["ok"] is True


def test_a_process_takes_the_registrys_ids(signaalwissel: CommandLine, registry: httpx.Client) -> None:
    told = signaalwissel("schemas", "register", "--json").lines
    ids = {line["record"]: line["id"] for line in told if "id" in line}
    adopt(settings())
    assert {name: codec(name).schema_id for name in ids} == ids


def test_a_process_does_not_start_on_a_registry_that_lacks_a_version(
    signaalwissel: CommandLine, registry: httpx.Client
) -> None:
    with pytest.raises(
        ServiceAway, match=r"lacks EarlySignal version 1.*run `signaalwissel schemas register`"
    ):
        adopt(settings())


def test_a_registry_that_is_away_ends_with_3_after_a_bound(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_SCHEMA_REGISTRY_URL", "http://127.0.0.1:9")
    bare_environment.setenv("SIGNAALWISSEL_SCHEMA_REGISTRY_PATIENCE_S", "0")
    ended = signaalwissel("schemas", "check")
    assert ended.code == 3
    assert "127.0.0.1:9" in ended.err


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://registry:8081", "must begin with https"),
        ("https://me:geheim@registry", "must not hold a user"),
        ("registry:8081", "is not like https"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(
    bare_environment: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_SCHEMA_REGISTRY_URL", url)
    with pytest.raises(UsageFailure, match=complaint) as refused:
        adopt(settings())
    assert "secret" not in str(refused.value)
