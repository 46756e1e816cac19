"""Sessions of people on the pages: a sealed cookie, with idle and absolute bounds, and a token against forged posts.

In: a principal that logged in; a cookie's text. Out: the cookie's text; the session in it, or None. The cookie holds no
personal data but the name that the identity provider gave, and is sealed: nobody reads or makes one without the key.
What a cookie cannot say is that it counts no more, and which others there are: that is asked of `Ended` and
`RunningSessions`, which all processes share.
"""

import base64
import hashlib
import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from signaalwissel.processors.access import Principal, Role
from signaalwissel.security.running_sessions import Running, RunningHere, RunningSessions

_ENDED_MAX = 100_000
_SESSION = "session"
_SECRET_LENGTH_MIN = 32


LIFE_S = 36_000
"""How old a session gets, however busy it is; what ended longer ago need not be remembered."""
PROVEN_S = 300
"""For how long somebody who logged in anew may end other sessions."""
_SEEN_EVERY_S = 60


class SessionsUnusable(ValueError):
    """The session secret cannot be used."""


class EndsAway(RuntimeError):
    """Whether a session was ended cannot be found out now; names the place."""


class Ended(Protocol):
    """What was ended before its time: a session, all of somebody, all of everybody; each a digest."""

    def end(self, digest: bytes, at_s: int) -> None:
        """Remember that what began at `at_s` or before has ended; raises EndsAway."""

    def latest_s(self, digests: Sequence[bytes]) -> int | None:
        """The last moment at which any of these was ended, None where none was; raises EndsAway."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who logged in.

    Attributes:
        principal: Who.
        session_id: Random; ends the session at a logout.
        csrf_token: What every form of this session must hold.
        began_s: Seconds since 1970.
        proven: Whether it began with a login that was asked for anew, and not with one that ran at the provider.
        listed_s: When it was last put on the list of running sessions, 0 for never.
    """

    principal: Principal
    session_id: str
    csrf_token: str
    began_s: int
    proven: bool = False
    listed_s: int = 0

    @property
    def digest(self) -> bytes:
        """What names it where its id must not stand."""
        return _digest("session", self.session_id)


class EndedHere:
    """Ends that this process alone knows: for a process that is the only one, and for tests."""

    def __init__(self) -> None:
        self._ended: OrderedDict[bytes, int] = OrderedDict()

    def end(self, digest: bytes, at_s: int) -> None:
        """Remember it, as one of the last 100,000."""
        self._ended[digest] = max(at_s, self._ended.pop(digest, at_s))
        if len(self._ended) > _ENDED_MAX:
            self._ended.popitem(last=False)

    def latest_s(self, digests: Sequence[bytes]) -> int | None:
        """The last moment at which any of these was ended."""
        return max((self._ended[one] for one in digests if one in self._ended), default=None)


def digest_of_person(subject: str) -> bytes:
    """Under which all sessions of somebody are ended; the subject as the audit trail has it."""
    return _digest("person", subject)


def digest_of_everybody() -> bytes:
    """Under which all sessions are ended."""
    return _digest("everybody", "")


class Sessions:
    """Seals and opens sessions.

    Args:
        secrets: At least 32 characters each; the first seals, all open, so that a secret is changed without logging
            anybody out.
        ended: What was ended before its time.
        running: Which sessions there are.
        idle_s: A session without a request for so long has ended.
        life_s: And so has one of that age.
        now: Seconds since 1970.

    Raises:
        SessionsUnusable: There is no secret, or a short one.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        ended: Ended | None = None,
        running: RunningSessions | None = None,
        *,
        idle_s: int = 1800,
        life_s: int = LIFE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not secrets or any(len(secret) < _SECRET_LENGTH_MIN for secret in secrets):
            raise SessionsUnusable(f"a session secret must have at least {_SECRET_LENGTH_MIN} characters")
        self._seal = MultiFernet([Fernet(_key(secret)) for secret in secrets])
        self._idle_s = idle_s
        self._life_s = life_s
        self._now = now
        self._ended = EndedHere() if ended is None else ended
        self._running = RunningHere() if running is None else running

    def begin(self, principal: Principal, *, proven: bool = False) -> Session:
        """A new session: a login never goes on with an older one (OWASP ASVS 7.2.4)."""
        return Session(principal, _random(), _random(), int(self._now()), proven)

    def seal(self, session: Session) -> str:
        """The cookie's text, which counts from now."""
        content = {
            "w": _SESSION,
            "p": _plain(session.principal),
            "i": session.session_id,
            "c": session.csrf_token,
            "b": session.began_s,
            "a": session.proven,
            "l": session.listed_s,
        }
        text = json.dumps(content, separators=(",", ":")).encode()
        return self._seal.encrypt_at_time(text, int(self._now())).decode()

    def open(self, cookie: str) -> Session | None:
        """The session in a cookie; None where it has ended or is none of ours; raises EndsAway."""
        now = int(self._now())
        try:
            content = json.loads(self._seal.decrypt_at_time(cookie.encode(), self._idle_s, now))
        except InvalidToken:
            return None
        if content.get("w") != _SESSION:
            return None
        # A cookie of the version before says neither of the last two.
        session = Session(
            _principal(content["p"]),
            content["i"],
            content["c"],
            content["b"],
            content.get("a", False),
            content.get("l", 0),
        )
        if now - session.began_s >= self._life_s or self._is_ended(self._listed(session)):
            return None
        return session

    def end(self, session: Session) -> None:
        """Take a session as ended, wherever its cookie comes again; raises EndsAway."""
        self._end(self._listed(session))

    def list(self, session: Session) -> Session:
        """Have a session on the list of those that run, as used now; once a minute is enough. Raises EndsAway."""
        now = int(self._now())
        if now - session.listed_s < _SEEN_EVERY_S:
            return session
        self._running.see(self._listed(session))
        return replace(session, listed_s=now)

    def running(self, session: Session) -> Sequence[Running]:
        """Every session of whoever has this one, the one used last first; raises EndsAway."""
        now = int(self._now())
        found = self._running.of(
            digest_of_person(session.principal.subject),
            began_after_s=now - self._life_s,
            seen_after_s=now - self._idle_s - _SEEN_EVERY_S,
        )
        return [one for one in found if not self._is_ended(one)]

    def may_end_others(self, session: Session) -> bool:
        """Whether somebody has just shown who they are, so that it is not whoever found the screen unlocked."""
        return session.proven and self._now() - session.began_s < PROVEN_S

    def end_others(self, session: Session, wanted: Callable[[Running], bool]) -> int:
        """End those of somebody's other sessions that are wanted; gives how many. Raises EndsAway."""
        others = [one for one in self.running(session) if one.digest != session.digest and wanted(one)]
        for one in others:
            self._end(one)
        return len(others)

    def _listed(self, session: Session) -> Running:
        person = digest_of_person(session.principal.subject)
        return Running(session.digest, person, session.began_s, int(self._now()))

    def _is_ended(self, one: Running) -> bool:
        ended_s = self._ended.latest_s((one.digest, one.person, digest_of_everybody()))
        return ended_s is not None and one.began_s <= ended_s

    def _end(self, one: Running) -> None:
        # Another process, whose clock is ahead, may have begun it.
        self._ended.end(one.digest, max(int(self._now()), one.began_s))
        self._running.forget(one.digest)

    def seal_for(self, what: str, content: dict[str, str]) -> str:
        """Something else that a browser keeps for us for a moment, such as the state of a login.

        Args:
            what: Its purpose; a text sealed for one opens for no other, and never as a session.
            content: What it holds.
        """
        text = json.dumps({"w": what, **content}).encode()
        return self._seal.encrypt_at_time(text, int(self._now())).decode()

    def open_for(self, what: str, cookie: str, age_s: int) -> dict[str, str] | None:
        """What `seal_for` sealed, for the same purpose and not longer ago than `age_s`; None otherwise."""
        try:
            content: dict[str, str] = json.loads(
                self._seal.decrypt_at_time(cookie.encode(), age_s, int(self._now()))
            )
        except InvalidToken:
            return None
        return content if content.pop("w", None) == what else None


def same_token(session: Session, given: str) -> bool:
    """Whether a form's token is that of the session."""
    return hmac.compare_digest(session.csrf_token.encode(), given.encode())


def _digest(kind: str, what: str) -> bytes:
    return hashlib.sha256(f"{kind} {what}".encode()).digest()


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"signaalwissel session" + secret.encode()).digest())


def _random() -> str:
    return Fernet.generate_key().decode().rstrip("=")


def _plain(principal: Principal) -> dict[str, Any]:
    return {
        "s": principal.subject,
        "r": sorted(principal.roles),
        "m": sorted(principal.municipalities),
        "c": principal.counsellor_id,
        "t": sorted(principal.teams),
        "n": principal.name,
    }


def _principal(content: dict[str, Any]) -> Principal:
    return Principal(
        subject=content["s"],
        roles=frozenset(map(Role, content["r"])),
        municipalities=frozenset(content["m"]),
        counsellor_id=content["c"],
        teams=frozenset(content["t"]),
        name=content["n"],
    )
