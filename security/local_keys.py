"""The local key provider: secrets as files that only their owner may read (design 7).

    <folder>/system.key
    <folder>/<municipality>/identity.key          seals the clients of a trajectory in intake's table
    <folder>/<municipality>/match-1.secret        behind the match keys; `match-2.secret` comes with a rotation, and
                                                  an empty file stays where a version was destroyed
    <folder>/<municipality>/day/2026-02-28.key    one data key per day of receipt; an empty file: destroyed

The provider owns the day keys: it makes one when it is first asked for, and a destroyed one is never made again. A
process keeps a key for a minute at most, so that one that another process destroyed is not used for longer.
A file that others can read is refused: a secret that leaked is no secret.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from signaalwissel.processors.pseudonyms import MatchSecret, MatchVersions, PseudonymKeys
from signaalwissel.processors.sealing import KEY_SIZE, KeyUnavailable, SealingKey
from signaalwissel.security.key_ids import (
    DAY_KEY_ID,
    IDENTITY_KEY_ID,
    MUNICIPALITY,
    SYSTEM_KEY_ID,
    day_key_id,
    destroyed,
    hashing_secret,
    identity_key_id,
    match_secret_id,
)
from signaalwissel.security.remembered import Remembered

_FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


CACHED_S = 60.0
"""How long a key is used without another look at its file: then it is known whether it was destroyed meanwhile. It leaves
the memory with the next key that is read after that."""


class LocalKeys:
    """Keys from a folder.

    Args:
        folder: Where the secrets lie.
        create_municipalities: Make the keys of any municipality that is asked for: for `demo` and tests only. In
            production `keys create` does it, so that a wrong code stays unknown.
        clock: Seconds, from whenever; says when a key must be read again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        create_municipalities: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._create_municipalities = create_municipalities
        self._clock = clock
        self._cached: Remembered[SealingKey] = Remembered(CACHED_S, clock)
        self._pseudonym_keys: Remembered[PseudonymKeys] = Remembered(CACHED_S, clock)
        self._complete: set[str] = set()

    @property
    def away(self) -> bool:
        """Never: a file that cannot be read ends the process."""
        return False

    def create(self, municipality: str) -> None:
        """Make the keys of a municipality that has none; what is there already stays."""
        if not MUNICIPALITY.fullmatch(municipality):
            raise KeyUnavailable(f"{municipality!r} is not a municipality code of four digits")
        _make_folder(self._folder)
        _make_folder(self._folder / municipality)
        _make_folder(self._folder / municipality / "day")
        _read_or_make(self._folder / "system.key")
        _read_or_make(self._folder / municipality / "identity.key")
        # Last: its presence says that the municipality is complete.
        _read_or_make(self._folder / municipality / "match-1.secret")

    def municipalities(self) -> Iterator[str]:
        """The municipalities that have keys."""
        for entry in sorted(self._folder.glob("[0-9][0-9][0-9][0-9]/match-1.secret")):
            yield entry.parent.name

    def knows(self, municipality: str) -> bool:
        if municipality in self._complete:
            return True
        if not MUNICIPALITY.fullmatch(municipality):
            return False
        if not (self._folder / municipality / "match-1.secret").exists():
            if not self._create_municipalities:
                return False
            self.create(municipality)
        self.pseudonym_keys(municipality)
        self._complete.add(municipality)
        return True

    def pseudonym_keys(self, municipality: str, versions: MatchVersions | None = None) -> PseudonymKeys:
        found = self._pseudonym_keys.get((municipality, versions))
        if found is None:
            asked = self._clock()
            made = self._pseudonym_keys_of(municipality, versions or self._first(municipality))
            found = self._pseudonym_keys.keep((municipality, versions), made, asked)
        return found

    def match_versions(self, municipality: str) -> tuple[int, ...]:
        """The versions of the match secret that were made and not destroyed, rising."""
        found, version = [], 1
        while (path := self._match_path(municipality, version)).exists():
            if any(_read(path)):
                found.append(version)
            version += 1
        return tuple(found)

    def make_match_secret(self, municipality: str, version: int) -> None:
        """Make a version of the match secret; one that is there, or was destroyed, stays as it is."""
        _read_or_make(self._match_path(municipality, version))

    def destroy_match_secret(self, municipality: str, version: int) -> None:
        """Destroy a version of the match secret: whoever has old match keys can test no guess on them any more."""
        _destroy(self._match_path(municipality, version))

    def _match_path(self, municipality: str, version: int) -> Path:
        return self._folder / municipality / f"match-{version}.secret"

    def _first(self, municipality: str) -> MatchVersions:
        alive = self.match_versions(municipality)
        # Without any the first one is asked for, and the error says what is the matter with it.
        first = alive[0] if alive else 1
        return MatchVersions(first, (first,))

    def _pseudonym_keys_of(self, municipality: str, versions: MatchVersions) -> PseudonymKeys:
        secrets = {version: self._match_secret(municipality, version) for version in versions.trajectories}
        hashing = hashing_secret(self.identity_key(municipality))
        return PseudonymKeys(municipality, hashing, secrets[versions.signals], tuple(secrets.values()))

    def _match_secret(self, municipality: str, version: int) -> MatchSecret:
        secret = _read(self._match_path(municipality, version))
        return MatchSecret(version, _alive(secret, match_secret_id(municipality, version)))

    def day_key(self, municipality: str, day: date) -> SealingKey:
        key_id = day_key_id(municipality, day)
        found = self._cached.get(key_id)
        if found is None:
            path = self._folder / municipality / "day" / f"{day.isoformat()}.key"
            found = self._read(key_id, path, _read_or_make)
        return found

    def identity_key(self, municipality: str) -> SealingKey:
        key_id = identity_key_id(municipality)
        return self._cached.get(key_id) or self._read(
            key_id, self._folder / municipality / "identity.key", _read
        )

    def system_key(self) -> SealingKey:
        found = self._cached.get(SYSTEM_KEY_ID)
        if found is None:
            _make_folder(self._folder)
            found = self._read(SYSTEM_KEY_ID, self._folder / "system.key", _read_or_make)
        return found

    def by_id(self, key_id: str) -> SealingKey:
        if key_id == SYSTEM_KEY_ID:
            return self.system_key()
        if identity := IDENTITY_KEY_ID.fullmatch(key_id):
            return self.identity_key(identity[1])
        if day := DAY_KEY_ID.fullmatch(key_id):
            path = self._folder / day[1] / "day" / f"{day[2]}.key"
            return self._cached.get(key_id) or self._read(key_id, path, _read)
        raise KeyUnavailable(f"{key_id!r} is not the id of a key of this provider")

    def destroy_day_key(self, municipality: str, day: date) -> None:
        """Destroy a day's key: what it sealed is unreadable in every copy, and no new one is made for that day."""
        path = self._folder / municipality / "day" / f"{day.isoformat()}.key"
        self._cached.drop(day_key_id(municipality, day))
        _destroy(path)

    def _read(self, key_id: str, path: Path, read: Callable[[Path], bytes]) -> SealingKey:
        # Another process may have destroyed one that was read longer ago.
        self._cached.drop(key_id)
        asked = self._clock()
        return self._cached.keep(key_id, SealingKey(key_id, _alive(read(path), key_id)), asked)


def _alive(secret: bytes, key_id: str) -> bytes:
    # Overwritten already, and not yet cut to nothing: another process is destroying it at this moment.
    if not any(secret):
        raise destroyed(key_id)
    return secret


def _destroy(path: Path) -> None:
    """Empty a file for good; it stays, so that no new secret takes its place."""
    _read_or_make(path)
    try:
        with path.open("r+b") as file:
            file.write(bytes(KEY_SIZE))
            file.flush()
            os.fsync(file.fileno())
            file.truncate(0)
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyUnavailable(f"{path}: cannot be destroyed: {error.strerror}") from error


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes()
    except OSError as error:
        raise KeyUnavailable(
            f"{path}: cannot be read: {error.strerror}; see `signaalwissel keys create`"
        ) from error
    if mode & _OPEN_TO_OTHERS:
        raise KeyUnavailable(f"{path}: others can read it; run `chmod 600` on it, and rotate it if it leaked")
    if len(secret) not in {0, KEY_SIZE}:
        raise KeyUnavailable(f"{path}: holds {len(secret)} bytes, not {KEY_SIZE}")
    return secret


def _read_or_make(path: Path) -> bytes:
    """The secret in a file, made with its full content at once or not at all, whoever comes first."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_SIZE))
                file.flush()
                os.fsync(file.fileno())
            # A link fails where another process was first; its secret counts then.
            os.link(fresh, path)
            _sync_folder(path.parent)
        except FileExistsError:
            pass
        except OSError as error:
            raise KeyUnavailable(f"{path}: cannot be made: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)
    return _read(path)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyUnavailable(f"{folder}: cannot be made: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    # Without this a power cut could take the key but leave what it sealed.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
