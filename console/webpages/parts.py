"""What the pages are made of, and what each of them asks of it.

In: an engine, sessions, ways onto Kafka and to the keys. Out: rows that somebody may see, records that were put on
record first, pages.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from signaalwissel.console.accounting import Accounting, Refused
from signaalwissel.console.failures import CommandFailure, ServiceAway
from signaalwissel.console.findings import Finding
from signaalwissel.console.process_looks import Look
from signaalwissel.console.webpages import formats, rights
from signaalwissel.console.webpages.kept import PATIENCE_S
from signaalwissel.console.webpages.words import word
from signaalwissel.processors.access import Principal
from signaalwissel.processors.opening import Opened, Sealed
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.signal import SealedSubject
from signaalwissel.schemas.units import Millis
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.http_sessions import CSRF_FIELD, WebSessions
from signaalwissel.security.sessions import Session
from signaalwissel.sinks.access import Database
from signaalwissel.sinks.database import TookTooLong, database_away
from signaalwissel.sinks.dead_letters import DeadLetterRow
from signaalwissel.sinks.row_security import RowScope, scoped
from signaalwissel.sinks.settings import ServiceAway as DatabaseAway

FOLDER = Path(__file__).parent
STATIC = "/static"


class Deliver(Protocol):
    """Sends a record onto Kafka and returns once it is safe there; raises `Away` of the gateway's delivery."""

    async def __call__(self, key: bytes, value: bytes) -> None: ...


class Letters(Protocol):
    """What can be done with a dead letter; each raises CommandFailure where it cannot."""

    def replay(self, dead_letter_id: str, by: str) -> str:
        """Send it again; gives its topic."""

    def look(self, letter: DeadLetterRow, by: str) -> dict[str, Any]:
        """Its record in the JSON form of its schema, once the look is on record."""

    def mend(self, letter: DeadLetterRow, filled: Mapping[str, str], by: str) -> str:
        """Send it again as it was filled in; gives its topic."""

    def park(self, dead_letter_id: str, by: str) -> None:
        """Put it aside."""

    def reopen(self, dead_letter_id: str, by: str) -> None:
        """Make it open again."""


@dataclass(frozen=True)
class Parts:
    """Everything that pages work with.

    Attributes:
        engine: The database.
        reader_role: The role under which rows are read; None where the engine's login is such a role.
        sessions: Who is logged in.
        policies: The policies in force.
        accounting: Puts a look on record.
        deliver: Sends a task update.
        open_subject: Opens a seal, once that is on record.
        letters: Handles dead letters.
        look: What `doctor` finds.
        processes: What the running processes say of themselves.
        now_ms: The clock of what people report.
        patience_s: How long a page waits for what the database counts.
    """

    engine: Database
    reader_role: str | None
    sessions: WebSessions
    policies: Policies
    accounting: Accounting
    deliver: Deliver
    open_subject: Callable[[Sealed, Opened], SealedSubject]
    letters: Letters
    look: Callable[[], Sequence[Finding]]
    processes: Callable[[], Sequence[Look]]
    now_ms: Callable[[], Millis]
    patience_s: float = PATIENCE_S

    @contextmanager
    def rows(self, principal: Principal, *, every_dead_letter: bool = False) -> Iterator[Any]:
        """A connection that sees what is in somebody's municipalities; raises Problem 503 where there is none."""
        scope = RowScope(principal.municipalities, every_dead_letter)
        try:
            with database_away(), scoped(self.engine, scope, self.reader_role) as connection:
                yield connection
        except TookTooLong as error:
            raise Problem(
                503,
                "Deze pagina kostte te veel tijd, en daarom zijn wij gestopt. Er is niets veranderd. Probeer het over een "
                "minuut opnieuw. Lukt het dan nog niet? Vraag uw beheerder om hulp.",
            ) from error
        except DatabaseAway as error:
            raise Problem(
                503, "De gegevens zijn nu niet te bereiken. Probeer het over een minuut opnieuw."
            ) from error


@contextmanager
def recording() -> Iterator[None]:
    """Turn what stands in the way of a record in the processing log into Problem 503: nothing is shown without."""
    try:
        yield
    except (ServiceAway, Refused) as error:
        raise Problem(
            503,
            "Deze inzage kan nu niet worden vastgelegd. Daarom tonen wij niets. Probeer het later opnieuw.",
        ) from error
    except CommandFailure as error:
        raise Problem(500, "Een instelling klopt niet. Vraag uw beheerder om hulp.") from error


def session_of(request: Request) -> Session:
    """Who asks, as the router's dependency found."""
    session: Session = request.state.session
    return session


class Pages:
    """Makes HTML of templates."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        dates = ("day", "month", "moment", "until", "urgency", "duration")
        for name in (*dates, "euros", "number", "figure", "who", "capitalized"):
            self._templates.filters[name] = getattr(formats, name)
        self._templates.filters["word"] = word

    def page(self, request: Request, template: str, status: int = 200, **content: Any) -> HTMLResponse:
        """A page; `content` is what its template takes."""
        session: Session | None = getattr(request.state, "session", None)
        text = self._templates.get_template(template).render(
            **content,
            menu=() if session is None else rights.menu(session.principal),
            path=request.url.path,
            principal=None if session is None else session.principal,
            csrf_field=CSRF_FIELD,
            csrf_token=None if session is None else session.csrf_token,
        )
        return HTMLResponse(text, status)


class Page:
    """What every page has.

    Args:
        parts: What it is made of.
        pages: Makes HTML.
    """

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
