"""The policies in docs/vault allow what each role does, and not what another does."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.security.vault_support import Service

FOLDER = Path(__file__).parents[2] / "docs" / "vault"
DAY, NEXT_DAY = date(2026, 2, 28), date(2026, 3, 1)
_BLOCK = re.compile(r'path "([^"]+)" \{\s*capabilities = \[([^\]]*)\]\s*\}')
_NEEDS = {"GET": "read", "POST": "update"}


def allows(policy: str, request: str) -> bool:
    """Whether a policy allows a request; `+` is one part of a path, a `*` at the end whatever follows."""
    method, path = request.split(" ")
    for pattern, capabilities in _BLOCK.findall((FOLDER / policy).read_text()):
        form = re.escape(pattern).replace(r"\+", "[^/]+")
        form = form.removesuffix(r"\*") + ".*" if form.endswith(r"\*") else form
        if re.fullmatch(form, path) and f'"{_NEEDS[method]}"' in capabilities:
            return True
    return False


@pytest.fixture
def town(service: Service) -> Iterator[Service]:
    """A municipality with a day; what was asked to make it is forgotten."""
    keys = service.keys()
    keys.create("0344")
    keys.day_key("0344", DAY)
    service.stub.requests.clear()
    yield service
    assert service.stub.requests


def test_a_worker_may_make_and_use_every_key(town: Service) -> None:
    keys = town.keys()
    keys.create("0363")
    assert keys.knows("0363")
    keys.day_key("0363", NEXT_DAY)
    keys.pseudonym_keys("0363")
    keys.system_key()
    assert [request for request in town.stub.requests if not allows("worker.hcl", request)] == []


def test_retention_may_destroy_and_not_use(town: Service) -> None:
    town.keys().destroy_day_key("0344", DAY)
    asked = list(town.stub.requests)
    assert [request for request in asked if not allows("retention.hcl", request)] == []
    assert not allows("retention.hcl", "POST signaalwissel/hmac/0344-day-2026-02-28")
    steps = [request for request in asked if request.rsplit("/", 1)[1] in {"rotate", "config", "trim"}]
    assert len(steps) == 3
    for policy in ("worker.hcl", "reader-0344.hcl", "doctor.hcl"):
        assert [request for request in steps if allows(policy, request)] == []


def test_a_reader_may_open_the_days_of_his_municipality_and_nothing_else(town: Service) -> None:
    town.keys().by_id("0344/day/2026-02-28")
    asked = list(town.stub.requests)
    assert [request for request in asked if not allows("reader-0344.hcl", request)] == []
    for name in ("0363-day-2026-02-28", "0344-identity", "0344-match-1", "system"):
        assert not allows("reader-0344.hcl", f"POST signaalwissel/hmac/{name}")
    assert not allows("reader-0344.hcl", "POST signaalwissel/keys/0344-day-2026-03-05")


def test_doctor_changes_nothing(town: Service) -> None:
    keys = town.keys()
    assert keys.knows("0344")
    keys.identity_key("0344")
    assert [request for request in town.stub.requests if not allows("doctor.hcl", request)] == []
    assert not allows("doctor.hcl", "POST signaalwissel/keys/0344-day-2026-03-05")
