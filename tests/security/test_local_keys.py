"""Secrets as files that only their owner may read (design 7)."""

import os
import threading
from datetime import date
from pathlib import Path

import pytest
from signaalwissel.processors.sealing import KEY_SIZE, KeyDestroyed, KeyUnavailable, seal, unseal
from signaalwissel.schemas.signal import Subject
from signaalwissel.security.local_keys import CACHED_S, LocalKeys
from signaalwissel.security.nonces import fresh_nonce

DAY, NEXT_DAY = date(2026, 2, 28), date(2026, 3, 1)
ANNA = Subject(bsn="111222333")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the secrets lie."""
    return tmp_path / "keys"


@pytest.fixture
def keys(folder: Path) -> LocalKeys:
    """The keys of one municipality."""
    made = LocalKeys(folder)
    made.create("0344")
    return made


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_the_owner_may_read_what_is_made(keys: LocalKeys, folder: Path) -> None:
    keys.day_key("0344", DAY)
    keys.system_key()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [
        "2026-02-28.key",
        "identity.key",
        "match-1.secret",
        "system.key",
    ]
    assert {mode(path) for path in files} == {0o600}
    assert {mode(path) for path in [folder, *folder.rglob("*")] if path.is_dir()} == {0o700}
    assert {len(path.read_bytes()) for path in files} == {KEY_SIZE}


def test_every_secret_is_another(keys: LocalKeys, folder: Path) -> None:
    keys.create("0363")
    for municipality in ("0344", "0363"):
        keys.day_key(municipality, DAY)
        keys.day_key(municipality, NEXT_DAY)
    secrets = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert len(secrets) == len(set(secrets)) == 9


def test_what_is_there_already_stays(keys: LocalKeys, folder: Path) -> None:
    before = keys.pseudonym_keys("0344").signal_match_key(ANNA)
    keys.create("0344")
    assert LocalKeys(folder).pseudonym_keys("0344").signal_match_key(ANNA) == before


def test_another_process_reads_the_same_keys(keys: LocalKeys, folder: Path) -> None:
    other = LocalKeys(folder)
    assert other.day_key("0344", DAY) == keys.day_key("0344", DAY)
    assert other.identity_key("0344") == keys.identity_key("0344")
    assert other.system_key() == keys.system_key()
    assert other.pseudonym_keys("0344") == keys.pseudonym_keys("0344")
    assert list(other.municipalities()) == ["0344"]


def test_a_key_is_read_once(keys: LocalKeys, folder: Path) -> None:
    first = keys.day_key("0344", DAY), keys.identity_key("0344"), keys.pseudonym_keys("0344")
    for path in (folder / "0344").rglob("*.*"):
        path.unlink()
    assert (keys.day_key("0344", DAY), keys.identity_key("0344"), keys.pseudonym_keys("0344")) == first


def test_processes_that_ask_at_once_agree_on_one_key(keys: LocalKeys, folder: Path) -> None:
    keys.create("0344")
    start, found = threading.Barrier(8), []

    def ask() -> None:
        provider = LocalKeys(folder)
        start.wait()
        found.append(provider.day_key("0344", DAY))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (folder / "0344" / "day").iterdir()] == ["2026-02-28.key"]


def test_a_municipality_without_keys_is_unknown(keys: LocalKeys) -> None:
    assert keys.knows("0344")
    assert keys.knows("0344")
    assert not keys.knows("0363")
    assert not keys.knows("../0344")
    with pytest.raises(KeyUnavailable, match="keys create"):
        keys.pseudonym_keys("0363")


def test_it_is_made_where_demo_asks_for_it(folder: Path) -> None:
    keys = LocalKeys(folder, create_municipalities=True)
    assert keys.knows("0363")
    assert not keys.knows("363")
    assert list(keys.municipalities()) == ["0363"]


def test_a_code_that_is_no_municipality_makes_no_folder(folder: Path) -> None:
    with pytest.raises(KeyUnavailable, match="four digits"):
        LocalKeys(folder).create("../0344")
    assert not folder.exists()


def test_there_is_a_system_key_before_any_municipality(folder: Path) -> None:
    keys = LocalKeys(folder)
    assert keys.system_key() == keys.by_id("system") == LocalKeys(folder).system_key()


def test_a_key_is_found_by_the_id_that_its_seal_names(keys: LocalKeys, folder: Path) -> None:
    for key in (keys.day_key("0344", DAY), keys.identity_key("0344"), keys.system_key()):
        sealed = seal(b"secret", key, "record", fresh_nonce())
        assert unseal(sealed, "record", LocalKeys(folder).by_id) == b"secret"


@pytest.mark.parametrize(
    "key_id",
    ["", "0344", "0344/day/../identity", "0344/day/2026-2-28", "../system", "0344/match-1", "vault:1"],
)
def test_an_id_of_another_provider_is_no_path(keys: LocalKeys, key_id: str) -> None:
    with pytest.raises(KeyUnavailable, match="is not the id of a key"):
        keys.by_id(key_id)


def test_asking_by_id_makes_no_key(keys: LocalKeys, folder: Path) -> None:
    with pytest.raises(KeyUnavailable, match="cannot be read"):
        keys.by_id("0344/day/2026-02-28")
    assert not list((folder / "0344" / "day").iterdir())


class TestDestroyed:
    """A day key that was destroyed with its retention."""

    @pytest.mark.parametrize("known", [True, False], ids=["to this process", "to nobody yet"])
    def test_what_it_sealed_is_gone(self, keys: LocalKeys, folder: Path, known: bool) -> None:
        sealed = seal(b"secret", LocalKeys(folder).day_key("0344", DAY), "record", fresh_nonce())
        if known:
            keys.day_key("0344", DAY)
        keys.destroy_day_key("0344", DAY)
        for provider in (keys, LocalKeys(folder)):
            with pytest.raises(KeyDestroyed, match="was destroyed with its retention"):
                unseal(sealed, "record", provider.by_id)

    def test_another_process_stops_using_it_within_a_minute(self, folder: Path) -> None:
        now = [0.0]
        working = LocalKeys(folder, clock=lambda: now[0])
        working.create("0344")
        key = working.day_key("0344", DAY)
        LocalKeys(folder).destroy_day_key("0344", DAY)
        now[0] = CACHED_S - 0.001
        assert working.day_key("0344", DAY) == key
        now[0] = CACHED_S
        for ask in (lambda: working.day_key("0344", DAY), lambda: working.by_id(key.key_id)):
            with pytest.raises(KeyDestroyed):
                ask()

    def test_a_key_that_is_being_overwritten_is_destroyed_already(
        self, keys: LocalKeys, folder: Path
    ) -> None:
        keys.day_key("0344", DAY)
        (folder / "0344" / "day" / "2026-02-28.key").write_bytes(bytes(KEY_SIZE))
        with pytest.raises(KeyDestroyed):
            LocalKeys(folder).day_key("0344", DAY)

    def test_no_new_one_is_made_for_that_day(self, keys: LocalKeys) -> None:
        keys.destroy_day_key("0344", DAY)
        with pytest.raises(KeyDestroyed):
            keys.day_key("0344", DAY)
        assert keys.day_key("0344", NEXT_DAY)

    def test_destroying_it_again_changes_nothing(self, keys: LocalKeys, folder: Path) -> None:
        keys.destroy_day_key("0344", DAY)
        keys.destroy_day_key("0344", DAY)
        assert (folder / "0344" / "day" / "2026-02-28.key").read_bytes() == b""


class TestUnavailable:
    """A secret that cannot be had, or is none any more: work stops."""

    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o666])
    def test_a_secret_that_others_can_read_is_refused(self, keys: LocalKeys, folder: Path, bits: int) -> None:
        (folder / "0344" / "identity.key").chmod(bits)
        with pytest.raises(KeyUnavailable, match=r"identity\.key: others can read it; run `chmod 600`"):
            keys.identity_key("0344")

    @pytest.mark.parametrize("size", [1, KEY_SIZE - 1, KEY_SIZE + 1])
    def test_a_secret_of_another_size_is_refused(self, keys: LocalKeys, folder: Path, size: int) -> None:
        (folder / "0344" / "match-1.secret").write_bytes(bytes(size))
        with pytest.raises(KeyUnavailable, match=f"holds {size} bytes, not {KEY_SIZE}"):
            keys.pseudonym_keys("0344")

    def test_a_file_where_a_folder_should_be_makes_no_key(self, tmp_path: Path) -> None:
        (tmp_path / "keys").write_text("")
        with pytest.raises(KeyUnavailable, match="cannot be made"):
            LocalKeys(tmp_path / "keys").create("0344")

    def test_a_disk_that_fails_leaves_no_half_key(
        self, keys: LocalKeys, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "link", full)
        with pytest.raises(KeyUnavailable, match="cannot be made: No space left on device"):
            keys.day_key("0344", DAY)
        assert not list((folder / "0344" / "day").iterdir())

    def test_another_process_that_was_first_is_believed(
        self, keys: LocalKeys, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link, theirs = os.link, b"t" * KEY_SIZE

        def overtaken(source: Path, target: Path) -> None:
            target.write_bytes(theirs)
            target.chmod(0o600)
            link(source, target)

        monkeypatch.setattr(os, "link", overtaken)
        assert keys.day_key("0344", DAY).secret == theirs
        assert [path.name for path in (folder / "0344" / "day").iterdir()] == ["2026-02-28.key"]


def test_a_key_whose_time_is_over_leaves_the_memory(keys: LocalKeys, folder: Path) -> None:
    now = [0.0]
    working = LocalKeys(folder, clock=lambda: now[0])
    for day in range(1, 29):
        working.day_key("0344", date(2026, 2, day))
    now[0] = CACHED_S
    working.day_key("0344", NEXT_DAY)
    assert set(working._cached._until) == {"0344/day/2026-03-01"}
