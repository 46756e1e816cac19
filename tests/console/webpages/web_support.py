"""A town to look at through the pages: tasks, trajectories, signals with real seals, dead letters; and its visitors."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from signaalwissel.console.accounting import Accounting
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.findings import Finding, fine
from signaalwissel.console.mending import mended
from signaalwissel.console.process_looks import Look
from signaalwissel.console.settings import Settings
from signaalwissel.console.webpages.app import build_web
from signaalwissel.console.webpages.parts import Parts
from signaalwissel.processors.access import Role
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.intake_signals import subject_belongs_to
from signaalwissel.processors.opening import Opened, Sealed, open_subject
from signaalwissel.processors.sealing import seal
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskKind, TaskUpdate
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.signal import SealedSubject, Subject
from signaalwissel.schemas.trajectory import Counsellor, ExitReason, TrajectoryEventKind
from signaalwissel.security.development_login import PATH, DevelopmentLogin
from signaalwissel.security.http_auth import trusted_issuers
from signaalwissel.security.http_sessions import RETURN_PATH, WebSessions
from signaalwissel.security.limits import RateLimit
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.oidc_login import OidcLogin
from signaalwissel.security.sessions import Sessions
from signaalwissel.security.tokens import Tokens
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.dead_letters import DeadLetterRow
from signaalwissel.sinks.ended_sessions import EndedSessions
from signaalwissel.sinks.row_security import READER, grant_reader
from signaalwissel.sinks.running_sessions import StoredSessions
from signaalwissel.sources.gateway_delivery import Away
from sqlalchemy import text

from tests.processors.followup_support import at_noon, decision
from tests.sinks.clock_support import Office, state
from tests.sinks.sink_support import POLICIES

MUNICIPALITY, OTHER = "0344", "0363"
COUNSELLOR, TEAM = "sh-7", "team-oost"
NAME, PHONE, BSN = "Ozturk-Achterberg", "0612345678", "123456782"
SUBJECT = SealedSubject(
    Subject(
        bsn=BSN,
        postcode="3511AB",
        house_number=12,
        birth_date=date(1980, 2, 3),
        initials="N.",
        surname=NAME,
        phone=PHONE,
    ),
    "K-99",
)


RECORD: dict[str, Any] = {
    "signal_id": "W-1",
    "subject": {"bsn": BSN, "surname": NAME, "birth_date": None},
    "arrears": "-1.00",
    "crisis": False,
}
"""What a dead letter of the town holds."""


class Kafka:
    """Where task updates go; `away` makes it refuse them."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes]] = []
        self.away = False

    async def __call__(self, key: bytes, value: bytes) -> None:
        if self.away:
            raise Away("Kafka did not take a record")
        self.records.append((key, value))

    @property
    def updates(self) -> list[TaskUpdate]:
        return [codec("TaskUpdate").decode(value) for _, value in self.records]


@dataclass
class LetterBook:
    """What was done with dead letters; `refuses` makes it refuse."""

    done: list[tuple[str, str, str]] = field(default_factory=list)
    refuses: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)

    def _do(self, what: str, letter_id: str, by: str) -> str:
        if self.refuses:
            raise UsageFailure(f"dead letter {letter_id}: is parked, not open")
        self.done.append((what, letter_id, by))
        return "signals"

    def replay(self, dead_letter_id: str, by: str) -> str:
        return self._do("replay", dead_letter_id, by)

    def look(self, letter: DeadLetterRow, by: str) -> dict[str, Any]:
        self._do("look", letter.dead_letter_id, by)
        return RECORD

    def mend(self, letter: DeadLetterRow, filled: Mapping[str, str], by: str) -> str:
        self.sent.append(mended(self.look(letter, by), filled))
        return self._do("mend", letter.dead_letter_id, by)

    def park(self, dead_letter_id: str, by: str) -> None:
        self._do("park", dead_letter_id, by)

    def reopen(self, dead_letter_id: str, by: str) -> None:
        self._do("reopen", dead_letter_id, by)


class Town:
    """Everything behind the pages, and the app in front of it."""

    def __init__(
        self,
        database_url: str,
        folder: object,
        base: str = "http://127.0.0.1:8090",
        *,
        patience_s: float = 60.0,
        login: Callable[[str], str] | None = None,
        statement_s: float | None = None,
    ) -> None:
        """`login` gives the URL with which the pages log in, once the tables are there; otherwise as their owner.

        `statement_s` bounds each of their statements.
        """
        self.base = base
        self.patience_s = patience_s
        self.office = Office(database_url)
        self.engine = self.office.engine
        self.keys = LocalKeys(folder, create_municipalities=True)  # type: ignore[arg-type]
        for code in (MUNICIPALITY, OTHER):
            self.keys.create(code)
        self.kafka, self.letters = Kafka(), LetterBook()
        self.findings: list[Finding] = [fine("postgresql", "answers")]
        self.processes: list[Look] = [
            Look(
                "intake", answers=True, ready=True, entries=1200, disk_bytes=0, recovering=False, recovered=8
            ),
            Look("matcher", answers=True, ready=False, reasons=("its tables are restored",), recovering=True),
            Look("sink", answers=False, ready=False),
        ]
        self.settings = Settings(
            database_url=database_url,  # type: ignore[arg-type]
            every_municipality=True,
        )
        with self.engine.begin() as connection:
            self.today = connection.execute(text("SELECT current_date")).scalar_one()
        self._fill()
        grant_reader(self.engine)
        own = database_url if login is None else login(database_url)
        self.pages_engine = open_engine(own, name="test-pages", statement_s=statement_s)
        self.settings = self.settings.model_copy(update={"database_url": SecretStr(own)})
        self.accounting = Accounting(self.settings, statement_s=statement_s)
        self.app = self._app()

    def decision(
        self, signal_id: str = "s-1", subject: SealedSubject = SUBJECT, **changes: object
    ) -> Decision:
        """A hit of a signal about somebody that was sealed as intake does."""
        made = decision(signal_id, received_on=self.today - timedelta(days=1), **changes)
        ref = signal_ref(made.municipality, made.partner.partner_id, signal_id, made.received_at)
        sealed = seal(
            codec("SealedSubject").encode_body(subject),
            self.keys.day_key(made.municipality, made.last_day),
            subject_belongs_to(made.municipality, ref),
            fresh_nonce(),
        )
        return made._replace(sealed_subject=sealed)

    def relapse(self, trajectory_id: str) -> str:
        """The id of a trajectory's relapse."""
        relapses = [task for task in self.office.tasks() if task.kind is TaskKind.CONTACT_ON_RELAPSE]
        (task,) = [task for task in relapses if task.trajectory_id == trajectory_id]
        return task.task_id

    def client(self) -> TestClient:
        """A browser without anybody in it."""
        return TestClient(self.app, base_url=self.base, follow_redirects=False)

    def visitor(self, role: Role, **changes: str) -> "Visitor":
        """Somebody who logged in."""
        return Visitor(self.client(), role, **changes)

    def events(self, kind: str) -> list[tuple[str, str]]:
        """Actor and object of each event of that kind in the audit trail."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT actor, about FROM audit_events WHERE kind = :kind ORDER BY event_id"),
                {"kind": kind},
            )
            return [(row.actor, row.about) for row in rows]

    def _fill(self) -> None:
        self.office.time.day = self.today
        applied = self.today - timedelta(days=400)
        left = self.today - timedelta(days=40)
        kinds = TrajectoryEventKind
        trajectory = state((kinds.APPLIED, applied), (kinds.ADMITTED, applied), (kinds.EXITED, left))
        facts = (*trajectory.facts[:2], trajectory.facts[2]._replace(exit_reason=ExitReason.COMPLETED))
        self.office.store(
            self.decision(**self._owner(COUNSELLOR), crisis=True),
            self.decision("s-2", trajectory_id="T-2", **self._owner("sh-8")),
            self.decision("s-3", trajectory_id="T-3", **self._owner(None)),
            self.decision("s-4", trajectory_id="T-4", municipality=OTHER, **self._owner(COUNSELLOR)),
            states=[trajectory._replace(facts=facts)],
        )
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    'INSERT INTO dead_letters (dead_letter_id, stage, topic, partition, "offset", timestamp, code,'
                    " field, rule, municipality, record_id, sealed) SELECT 'd' || n, 'intake', 'signals', 0, n, now(),"
                    " 'INVALID_FIELD', 'arrears', 'must be a number', m, 'W-' || n, ''"
                    " FROM (VALUES (1, '0344'), (2, '0363'), (3, NULL)) AS v (n, m)"
                )
            )

    def _owner(self, counsellor_id: str | None) -> dict[str, object]:
        owner = None if counsellor_id is None else Counsellor(counsellor_id, TEAM)
        return {"counsellor": owner, "team": TEAM}

    def _app(self) -> FastAPI:
        provider = DevelopmentLogin(self.base, [MUNICIPALITY, OTHER])
        access = provider.access()
        assert access.login is not None
        tokens = Tokens(trusted_issuers(access, lambda _: provider.keys))
        # The provider lives in the app that it is about, so the way to it is given afterwards.
        transport = _Later()
        login = OidcLogin(access.login, tokens, self.base + RETURN_PATH, transport)
        sessions = WebSessions(
            Sessions(["x" * 32], EndedSessions(self.pages_engine), StoredSessions(self.pages_engine)),
            login,
            RateLimit(1000, 1000),
            secure=False,
        )
        parts = Parts(
            engine=self.pages_engine,
            reader_role=READER,
            sessions=sessions,
            policies=POLICIES,
            accounting=self.accounting,
            deliver=self.kafka,
            open_subject=self._open,
            letters=self.letters,
            look=self._look,
            processes=lambda: self.processes,
            now_ms=lambda: at_noon(self.today),
            patience_s=self.patience_s,
        )
        app = build_web(parts, access.login, [provider.router()])
        transport.app = app
        return app

    def _open(self, record: Sealed, opened: Opened) -> SealedSubject:
        return open_subject(record, self.keys.by_id, opened)

    def _look(self) -> Sequence[Finding]:
        return self.findings


class _Later(httpx.AsyncBaseTransport):
    app: FastAPI | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.app is not None
        return await httpx.ASGITransport(self.app).handle_async_request(request)


class Visitor:
    """Somebody with a session in a browser."""

    def __init__(self, browser: httpx.Client, role: str, **changes: str) -> None:
        self.browser = browser
        choice = {
            "role": str(role),
            "municipality": MUNICIPALITY,
            "counsellor_id": "",
            "team": "",
            **changes,
        }
        begun = browser.get("/inloggen", params={"then": "/"})
        page = browser.get(begun.headers["location"])
        kept = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        # Where the provider is: in the app itself, or on a port of its own.
        answer = browser.post(page.url.copy_with(query=None), data={**kept, **choice})
        finished = browser.get(answer.headers["location"])
        assert finished.status_code == 303, finished.text
        self.subject = f"{str(browser.base_url).rstrip('/')}{PATH}#{role}/{choice['municipality']}/{choice['counsellor_id']}/{choice['team']}"

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.browser.get(path, params=query or None)

    def counted(self, path: str) -> str:
        """A page once what it counts is there."""
        for _ in range(120):
            page = self.get(path).text
            if "Dit wordt geteld." not in page:
                return page
            time.sleep(0.5)
        raise AssertionError(f"{path} is never counted")

    def token(self) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/onbekend").text)
        found = found or re.search(r'name="csrf_token" value="([^"]+)"', self._any_page())
        assert found is not None
        return found[1]

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.browser.post(path, data={"csrf_token": self.token(), **fields})

    def report(self, task_id: str, kind: str, version: int = 1, **fields: str) -> httpx.Response:
        return self.post(f"/taken/{task_id}/melding", soort=kind, versie=str(version), **fields)

    def _any_page(self) -> str:
        home = self.get("/")
        return self.get(home.headers["location"]).text


def counsellor(town: Town, counsellor_id: str = COUNSELLOR, team: str = TEAM) -> Visitor:
    return town.visitor(Role.COUNSELLOR, counsellor_id=counsellor_id, team=team)


def counsellor_choice() -> dict[str, str]:
    """What a counsellor fills in at the development login."""
    return {"role": "counsellor", "counsellor_id": COUNSELLOR, "team": TEAM}
