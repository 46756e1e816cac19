"""Keys from a transit engine: what leaves it, what destroys a key, and what happens without it (design 7, ADR 7)."""

from datetime import date
from pathlib import Path

import pytest
from signaalwissel.processors.sealing import KeyDestroyed, KeyUnavailable

from tests.security.vault_stub import Fault, VaultStub, serving
from tests.security.vault_support import Service

DAY, OTHER_DAY = date(2026, 2, 28), date(2026, 3, 1)
DAY_NAME = "0344-day-2026-02-28"
KEPT_S = 60.0


@pytest.fixture
def town(service: Service) -> Service:
    """A key service with the keys of one municipality."""
    service.keys().create("0344")
    return service


def test_each_key_is_a_transit_key_of_its_own_that_never_leaves(town: Service) -> None:
    town.keys().day_key("0344", DAY)
    assert sorted(town.stub.keys) == [DAY_NAME, "0344-identity", "0344-match-1", "system"]
    assert not any("export" in request or "backup" in request for request in town.stub.requests)
    inside = {secret for key in town.stub.keys.values() for secret in key.versions.values()}
    assert town.keys().day_key("0344", DAY).secret not in inside


def test_a_rotated_transit_key_gives_the_same_key(town: Service) -> None:
    before = town.keys().day_key("0344", DAY)
    town.stub._rotate(town.stub.keys[DAY_NAME], {})
    assert town.keys().day_key("0344", DAY) == before


def test_a_key_that_another_process_makes_between_two_requests_is_found(town: Service) -> None:
    made = town.keys().day_key("0344", DAY)
    town.stub.faults = [Fault("answer", 400, b'{"errors":["encryption key not found"]}')]
    assert town.keys().day_key("0344", DAY) == made
    town.stub.faults = [Fault("answer", 400, b'{"errors":["encryption key not found"]}')]
    assert town.keys().by_id(made.key_id) == made


def test_a_key_is_asked_for_once_until_its_time_is_over(town: Service) -> None:
    now = [0.0]
    keys = town.keys(lambda: now[0], kept_s=KEPT_S)
    first = keys.day_key("0344", DAY), keys.pseudonym_keys("0344"), keys.knows("0344")
    asked = len(town.stub.requests)
    now[0] = KEPT_S - 0.001
    assert (keys.day_key("0344", DAY), keys.pseudonym_keys("0344"), keys.knows("0344")) == first
    assert len(town.stub.requests) == asked
    now[0] = KEPT_S
    assert (keys.day_key("0344", DAY), keys.pseudonym_keys("0344"), keys.knows("0344")) == first
    assert len(town.stub.requests) > asked


def test_a_key_whose_time_is_over_leaves_the_memory(town: Service) -> None:
    now = [0.0]
    keys = town.keys(lambda: now[0], kept_s=KEPT_S)
    keys.day_key("0344", DAY)
    now[0] = KEPT_S
    keys.day_key("0344", OTHER_DAY)
    assert set(keys._keys._until) == {"0344/day/2026-03-01"}


class TestAway:
    """The service does not answer: work stops, after a bounded time."""

    def test_at_the_start(self, town: Service) -> None:
        town.stub.sealed = True
        for ask in (
            lambda: town.keys().system_key(),
            lambda: town.keys().day_key("0344", DAY),
            lambda: town.keys().knows("0344"),
        ):
            with pytest.raises(KeyUnavailable, match=r"HTTP 503: it is sealed .* tried for 0\.3 s"):
                ask()

    def test_in_mid_run_what_is_kept_is_used_and_no_longer(self, town: Service) -> None:
        now = [0.0]
        keys = town.keys(lambda: now[0], kept_s=KEPT_S)
        key, hashing = keys.day_key("0344", DAY), keys.pseudonym_keys("0344")
        town.stub.sealed = True
        assert (keys.day_key("0344", DAY), keys.pseudonym_keys("0344")) == (key, hashing)
        with pytest.raises(KeyUnavailable):
            keys.day_key("0344", OTHER_DAY)
        now[0] = KEPT_S
        for ask in (lambda: keys.day_key("0344", DAY), lambda: keys.pseudonym_keys("0344")):
            with pytest.raises(KeyUnavailable) as away:
                ask()
            assert not isinstance(away.value, KeyDestroyed)

    def test_it_goes_on_by_itself_when_the_service_is_back(self, town: Service) -> None:
        now = [0.0]
        keys = town.keys(lambda: now[0], kept_s=KEPT_S)
        key = keys.day_key("0344", DAY)
        now[0] = KEPT_S
        town.stub.sealed = True
        with pytest.raises(KeyUnavailable):
            keys.day_key("0344", DAY)
        town.stub.sealed = False
        assert keys.day_key("0344", DAY) == key

    def test_after_it_was_gone_altogether(self, tmp_path: Path) -> None:
        stub = VaultStub()
        with serving(stub):
            keys = Service(stub, tmp_path).keys()
            keys.create("0344")
        with pytest.raises(KeyUnavailable, match=r"ConnectError.*nothing was written or acknowledged"):
            keys.identity_key("0344")
        with serving(stub, port=stub.port):
            assert keys.identity_key("0344")


class TestDestroying:
    """A day key goes for good: its version is trimmed away and its name stays taken."""

    def test_the_version_is_gone_and_the_name_is_taken(self, town: Service) -> None:
        town.keys().day_key("0344", DAY)
        town.keys().destroy_day_key("0344", DAY)
        key = town.stub.keys[DAY_NAME]
        assert 1 not in key.versions
        assert key.min_available == 2

    @pytest.mark.parametrize("step", ["rotate", "config", "trim"])
    def test_one_that_was_broken_off_is_finished_by_the_next(self, town: Service, step: str) -> None:
        town.keys().day_key("0344", DAY)
        refused = f"POST signaalwissel/keys/{DAY_NAME}/{step}"
        town.stub.denied.add(refused)
        with pytest.raises(KeyUnavailable, match="HTTP 403"):
            town.keys().destroy_day_key("0344", DAY)
        town.stub.denied.clear()
        town.keys().destroy_day_key("0344", DAY)
        assert 1 not in town.stub.keys[DAY_NAME].versions

    def test_a_key_that_is_closed_and_not_trimmed_stops_the_work(self, town: Service) -> None:
        town.keys().day_key("0344", DAY)
        town.stub.denied.add(f"POST signaalwissel/keys/{DAY_NAME}/trim")
        with pytest.raises(KeyUnavailable):
            town.keys().destroy_day_key("0344", DAY)
        with pytest.raises(KeyUnavailable, match="closed and not destroyed") as stopped:
            town.keys().day_key("0344", DAY)
        assert not isinstance(stopped.value, KeyDestroyed)

    def test_a_service_that_only_says_so_is_not_believed(
        self, town: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(VaultStub, "_trim", staticmethod(lambda *_: None))
        with pytest.raises(KeyUnavailable, match="still has it"):
            town.keys().destroy_day_key("0344", DAY)

    def test_no_key_is_open_to_deletion(self, town: Service) -> None:
        town.keys().day_key("0344", DAY)
        answer = town.requests()._send("DELETE", f"signaalwissel/keys/{DAY_NAME}", None, "root-token")
        assert (answer.ok, answer.status) == (False, 400)
        assert DAY_NAME in town.stub.keys


class TestStrangeAnswers:
    """What is no key is never used as one."""

    @pytest.mark.parametrize(
        "content",
        [
            b"{}",
            b'{"data":null}',
            b'{"data":{"hmac":"vault:v2:AAAA"}}',
            b'{"data":{"hmac":"vault:v1:AAAA"}}',
            b'{"data":{"hmac":"vault:v1:===="}}',
            b'{"data":{"hmac":null}}',
        ],
    )
    def test_an_answer_without_a_key_is_refused(self, town: Service, content: bytes) -> None:
        town.stub.faults = [Fault("answer", 200, content)]
        with pytest.raises(KeyUnavailable, match="something that is no key"):
            town.keys().day_key("0344", DAY)

    def test_a_missing_engine_is_not_a_missing_key(self, town: Service) -> None:
        with pytest.raises(KeyUnavailable, match="is the transit engine enabled"):
            town.keys(mount="elsewhere").knows("0344")

    def test_a_key_without_versions_is_refused(self, town: Service) -> None:
        town.stub.faults = [Fault("answer", 200, b'{"data":{"keys":{}}}')]
        with pytest.raises(KeyUnavailable, match="is it a transit engine"):
            town.keys().knows("0344")
