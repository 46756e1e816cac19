"""Versions of the match secret, whoever keeps them: made by a rotation, and destroyed for good at its end (ADR 8)."""

from pathlib import Path

import pytest
from signaalwissel.processors.pseudonyms import MatchVersions, secret_version
from signaalwissel.processors.sealing import KEY_SIZE, KeyDestroyed, KeyUnavailable
from signaalwissel.schemas.signal import Subject
from signaalwissel.security.local_keys import CACHED_S, LocalKeys

from tests.security.test_key_providers import MUNICIPALITY, Store, store
from tests.security.test_vault_policies import allows
from tests.security.vault_stub import Fault
from tests.security.vault_support import Service

__all__ = ["store"]

ANNA = Subject(bsn="111222333")
BOTH = MatchVersions(1, (1, 2))
SECOND = MatchVersions(2, (2,))


def test_a_municipality_begins_with_one_version(store: Store) -> None:
    keys = store.process()
    assert keys.match_versions(MUNICIPALITY) == (1,)
    assert keys.pseudonym_keys(MUNICIPALITY).trajectory_secrets[0].version == 1


def test_a_version_is_made_once_and_is_the_same_everywhere(store: Store) -> None:
    for _ in range(2):
        store.process().make_match_secret(MUNICIPALITY, 2)
    assert store.process().match_versions(MUNICIPALITY) == (1, 2)
    found = [store.process().pseudonym_keys(MUNICIPALITY, BOTH) for _ in range(2)]
    assert found[0] == found[1]
    assert len({secret.secret for secret in found[0].trajectory_secrets}) == 2
    assert {len(secret.secret) for secret in found[0].trajectory_secrets} == {KEY_SIZE}


def test_while_two_are_there_who_was_told_nothing_works_under_the_lower(store: Store) -> None:
    before = store.process().pseudonym_keys(MUNICIPALITY)
    store.process().make_match_secret(MUNICIPALITY, 2)
    assert store.process().pseudonym_keys(MUNICIPALITY) == before


def test_hashes_that_are_compared_are_those_of_every_version(store: Store) -> None:
    store.process().make_match_secret(MUNICIPALITY, 2)
    keys = store.process()
    old, new = keys.pseudonym_keys(MUNICIPALITY), keys.pseudonym_keys(MUNICIPALITY, SECOND)
    assert old.pseudonym(ANNA) == new.pseudonym(ANNA)
    assert old.digest(b"a record") == new.digest(b"a record")
    assert old.signal_match_key(ANNA) != new.signal_match_key(ANNA)
    assert secret_version(new.signal_match_key(ANNA)) == 2


def test_a_version_that_was_never_made_cannot_be_had(store: Store) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        store.process().pseudonym_keys(MUNICIPALITY, BOTH)
    assert not isinstance(refused.value, KeyDestroyed)


class TestDestroyed:
    """A version at the end of its rotation."""

    @pytest.fixture
    def rotated(self, store: Store) -> Store:
        """A municipality whose first version was destroyed."""
        store.process().make_match_secret(MUNICIPALITY, 2)
        store.process().destroy_match_secret(MUNICIPALITY, 1)
        return store

    def test_nobody_gets_it_any_more_and_the_next_one_counts(self, rotated: Store) -> None:
        keys = rotated.process()
        assert keys.match_versions(MUNICIPALITY) == (2,)
        assert keys.knows(MUNICIPALITY)
        assert keys.pseudonym_keys(MUNICIPALITY) == keys.pseudonym_keys(MUNICIPALITY, SECOND)
        with pytest.raises(KeyDestroyed, match="at the end of its rotation"):
            keys.pseudonym_keys(MUNICIPALITY, BOTH)

    def test_no_new_one_takes_its_place(self, rotated: Store) -> None:
        keys = rotated.process()
        keys.create(MUNICIPALITY)
        keys.make_match_secret(MUNICIPALITY, 1)
        keys.destroy_match_secret(MUNICIPALITY, 1)
        assert rotated.process().match_versions(MUNICIPALITY) == (2,)

    def test_what_is_sealed_still_opens(self, rotated: Store) -> None:
        keys = rotated.process()
        assert keys.by_id(keys.identity_key(MUNICIPALITY).key_id) == keys.identity_key(MUNICIPALITY)

    def test_it_can_be_rotated_again(self, rotated: Store) -> None:
        rotated.process().make_match_secret(MUNICIPALITY, 3)
        rotated.process().destroy_match_secret(MUNICIPALITY, 2)
        assert rotated.process().match_versions(MUNICIPALITY) == (3,)
        assert rotated.process().pseudonym_keys(MUNICIPALITY).signal_secret.version == 3

    def test_a_process_that_has_it_stops_using_it_within_a_minute(self, store: Store) -> None:
        now = [0.0]
        working = store.process(lambda: now[0])
        store.process().make_match_secret(MUNICIPALITY, 2)
        working.pseudonym_keys(MUNICIPALITY, BOTH)
        store.process().destroy_match_secret(MUNICIPALITY, 1)
        now[0] = CACHED_S - 0.001
        working.pseudonym_keys(MUNICIPALITY, BOTH)
        now[0] = CACHED_S
        with pytest.raises(KeyDestroyed):
            working.pseudonym_keys(MUNICIPALITY, BOTH)
        assert working.pseudonym_keys(MUNICIPALITY).signal_secret.version == 2


def test_destroyed_in_files_nothing_of_it_is_left(tmp_path: Path) -> None:
    keys = LocalKeys(tmp_path / "keys")
    keys.create(MUNICIPALITY)
    file = tmp_path / "keys" / MUNICIPALITY / "match-1.secret"
    secret = file.read_bytes()
    keys.make_match_secret(MUNICIPALITY, 2)
    keys.destroy_match_secret(MUNICIPALITY, 1)
    assert file.read_bytes() == b""
    assert [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()] == []
    assert list(keys.municipalities()) == [MUNICIPALITY]


def test_in_a_key_service_the_version_behind_it_is_trimmed_away_for_good(service: Service) -> None:
    keys = service.keys()
    keys.create(MUNICIPALITY)
    keys.make_match_secret(MUNICIPALITY, 2)
    keys.destroy_match_secret(MUNICIPALITY, 1)
    left = service.stub.keys["0344-match-1"]
    assert (left.min_available, 1 in left.versions, left.deletion_allowed) == (2, False, False)


@pytest.mark.parametrize("broken_off", range(5))
def test_a_destruction_that_was_broken_off_is_finished_by_the_next(service: Service, broken_off: int) -> None:
    keys = service.keys(patience_s=0)
    keys.create(MUNICIPALITY)
    keys.make_match_secret(MUNICIPALITY, 2)
    service.stub.faults = [*[Fault("none")] * broken_off, Fault("answer")]
    with pytest.raises(KeyUnavailable):
        keys.destroy_match_secret(MUNICIPALITY, 1)
    assert service.stub.faults == []
    service.keys().destroy_match_secret(MUNICIPALITY, 1)
    assert service.keys().match_versions(MUNICIPALITY) == (2,)


def test_the_policy_of_a_rotation_allows_it_for_one_municipality_and_no_use_of_a_secret(
    service: Service,
) -> None:
    keys = service.keys()
    keys.create(MUNICIPALITY)
    service.stub.requests.clear()
    keys.knows(MUNICIPALITY)
    keys.match_versions(MUNICIPALITY)
    keys.make_match_secret(MUNICIPALITY, 2)
    keys.destroy_match_secret(MUNICIPALITY, 1)
    policy = "rotation-0344.hcl"
    assert [request for request in service.stub.requests if not allows(policy, request)] == []
    assert not allows(policy, "POST signaalwissel/hmac/0344-match-1")
    for name in ("0363-match-1", "0344-identity", "0344-day-2026-02-28"):
        assert not allows(policy, f"POST signaalwissel/keys/{name}/rotate")
