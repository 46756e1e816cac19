"""What every key provider does, whoever keeps the keys: files of this machine, or a key service (design 7)."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.sealing import (
    KEY_SIZE,
    KeyDestroyed,
    KeyProvider,
    KeyUnavailable,
    SealBroken,
    seal,
    unseal,
)
from signaalwissel.security.local_keys import CACHED_S, LocalKeys
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.vault_http import VaultRequests
from signaalwissel.security.vault_keys import VaultKeys
from signaalwissel.security.vault_settings import TokenFile, VaultSettings

from tests.security.vault_stub import ROOT, VaultStub, serving

DAY, NEXT_DAY = date(2026, 2, 28), date(2026, 3, 1)
MUNICIPALITY = "0344"


@dataclass
class Store:
    """One store of keys; each provider made on it is a process of its own."""

    provider: Callable[[Callable[[], float]], LocalKeys | VaultKeys]

    def process(self, clock: Callable[[], float] = lambda: 0.0) -> LocalKeys | VaultKeys:
        return self.provider(clock)


@pytest.fixture(params=["local", "vault"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store with one municipality."""
    if request.param == "local":
        found = Store(lambda clock: LocalKeys(tmp_path / "keys", clock=clock))
        found.process().create(MUNICIPALITY)
        yield found
        return
    token = tmp_path / "token"
    token.write_text(ROOT)
    token.chmod(0o600)
    with serving(VaultStub()) as stub:
        settings = VaultSettings(stub.url, TokenFile(token), patience_s=0, kept_s=CACHED_S)
        found = Store(lambda clock: VaultKeys(settings, VaultRequests(settings), clock=clock))
        found.process().create(MUNICIPALITY)
        yield found


def hashes(keys: PseudonymKeys) -> tuple[bytes, bytes]:
    return keys.hashing, keys.signal_secret.secret


def test_it_is_a_key_provider(store: Store) -> None:
    keys: KeyProvider = store.process()
    assert keys.knows(MUNICIPALITY)


def test_every_key_is_another_and_of_full_length(store: Store) -> None:
    keys = store.process()
    keys.create("0363")
    made = [keys.system_key()]
    for municipality in (MUNICIPALITY, "0363"):
        made += [keys.identity_key(municipality), keys.day_key(municipality, DAY)]
        made.append(keys.day_key(municipality, NEXT_DAY))
    secrets = [key.secret for key in made]
    secrets += [secret for code in (MUNICIPALITY, "0363") for secret in hashes(keys.pseudonym_keys(code))]
    assert len(set(secrets)) == len(secrets) == 11
    assert {len(secret) for secret in secrets} == {KEY_SIZE}


def test_every_process_gets_the_same_keys(store: Store) -> None:
    one, other = store.process(), store.process()
    assert one.day_key(MUNICIPALITY, DAY) == other.day_key(MUNICIPALITY, DAY)
    assert one.identity_key(MUNICIPALITY) == other.identity_key(MUNICIPALITY)
    assert one.system_key() == other.system_key()
    assert one.pseudonym_keys(MUNICIPALITY) == other.pseudonym_keys(MUNICIPALITY)


def test_making_a_municipality_again_changes_nothing(store: Store) -> None:
    before = store.process().pseudonym_keys(MUNICIPALITY)
    store.process().create(MUNICIPALITY)
    assert store.process().pseudonym_keys(MUNICIPALITY) == before


def test_processes_that_ask_at_once_agree_on_one_key(store: Store) -> None:
    start, found = threading.Barrier(4), []

    def ask() -> None:
        keys = store.process()
        start.wait()
        found.append(keys.day_key(MUNICIPALITY, DAY))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_key_is_found_by_the_id_that_its_seal_names(store: Store) -> None:
    keys = store.process()
    for key in (keys.day_key(MUNICIPALITY, DAY), keys.identity_key(MUNICIPALITY), keys.system_key()):
        sealed = seal(b"secret", key, "record", fresh_nonce())
        assert unseal(sealed, "record", store.process().by_id) == b"secret"


def test_asking_by_id_makes_no_key(store: Store) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        store.process().by_id("0344/day/2026-02-28")
    assert not isinstance(refused.value, KeyDestroyed)


@pytest.mark.parametrize("key_id", ["", "0344", "0344/day/../identity", "../system", "0344/match/1"])
def test_an_id_that_is_none_is_refused(store: Store, key_id: str) -> None:
    with pytest.raises(KeyUnavailable, match="is not the id of a key"):
        store.process().by_id(key_id)


def test_a_municipality_without_keys_is_unknown_until_it_has_them(store: Store) -> None:
    keys = store.process()
    assert not keys.knows("0363")
    assert not keys.knows("../0344")
    with pytest.raises(KeyUnavailable, match="keys create"):
        keys.pseudonym_keys("0363")
    keys.create("0363")
    assert keys.knows("0363")


def test_a_code_that_is_no_municipality_gets_no_keys(store: Store) -> None:
    with pytest.raises(KeyUnavailable, match="four digits"):
        store.process().create("../0344")


class TestDestroyed:
    """A day key that was destroyed with its retention."""

    def test_none_of_that_day_opens_and_all_of_the_others(self, store: Store) -> None:
        days = [DAY + timedelta(days=number) for number in range(5)]
        sealed = {
            day: [
                seal(b"secret", store.process().day_key(MUNICIPALITY, day), f"{day}", fresh_nonce())
                for _ in range(3)
            ]
            for day in days
        }
        store.process().destroy_day_key(MUNICIPALITY, DAY)
        for day in days[1:]:
            assert [unseal(each, f"{day}", store.process().by_id) for each in sealed[day]] == [b"secret"] * 3
        for each in sealed[DAY]:
            with pytest.raises(KeyDestroyed, match="was destroyed with its retention"):
                unseal(each, f"{DAY}", store.process().by_id)

    @pytest.mark.parametrize("made_before", [True, False])
    def test_no_new_one_is_made_for_that_day(self, store: Store, made_before: bool) -> None:
        keys = store.process()
        if made_before:
            keys.day_key(MUNICIPALITY, DAY)
        keys.destroy_day_key(MUNICIPALITY, DAY)
        for process in (keys, store.process()):
            with pytest.raises(KeyDestroyed):
                process.day_key(MUNICIPALITY, DAY)
        assert keys.day_key(MUNICIPALITY, NEXT_DAY)

    def test_destroying_it_again_changes_nothing(self, store: Store) -> None:
        for _ in range(3):
            store.process().destroy_day_key(MUNICIPALITY, DAY)
        with pytest.raises(KeyDestroyed):
            store.process().day_key(MUNICIPALITY, DAY)

    def test_another_process_stops_using_it_within_a_minute(self, store: Store) -> None:
        now = [0.0]
        working = store.process(lambda: now[0])
        key = working.day_key(MUNICIPALITY, DAY)
        store.process().destroy_day_key(MUNICIPALITY, DAY)
        now[0] = CACHED_S - 0.001
        assert working.day_key(MUNICIPALITY, DAY) == key
        now[0] = CACHED_S
        for ask in (lambda: working.day_key(MUNICIPALITY, DAY), lambda: working.by_id(key.key_id)):
            with pytest.raises(KeyDestroyed):
                ask()

    def test_processes_that_race_with_the_destruction_never_get_another_key(self, store: Store) -> None:
        before = store.process().day_key(MUNICIPALITY, DAY)
        start, found = threading.Barrier(4), []

        def ask() -> None:
            start.wait()
            for _ in range(10):
                try:
                    found.append(store.process().day_key(MUNICIPALITY, DAY))
                except KeyUnavailable:
                    found.append(None)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        start.wait()
        store.process().destroy_day_key(MUNICIPALITY, DAY)
        for thread in threads:
            thread.join(30)
        assert len(found) == 30
        assert set(found) <= {before, None}
        with pytest.raises(KeyDestroyed):
            store.process().day_key(MUNICIPALITY, DAY)


def test_a_seal_of_one_municipality_does_not_open_with_the_key_of_another(store: Store) -> None:
    keys = store.process()
    keys.create("0363")
    sealed = seal(b"secret", keys.day_key(MUNICIPALITY, DAY), "record", fresh_nonce())
    with pytest.raises(SealBroken):
        unseal(sealed, "record", lambda _: keys.day_key("0363", DAY))
