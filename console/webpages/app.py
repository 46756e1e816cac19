"""The app of the pages: routes, login, static files, errors as pages.

In: parts. Out: an ASGI app.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.dossier import DossierPage
from signaalwissel.console.webpages.fallout import FalloutPage
from signaalwissel.console.webpages.figures import FiguresPage
from signaalwissel.console.webpages.letter_mending import MendingPage
from signaalwissel.console.webpages.letters import LettersPage
from signaalwissel.console.webpages.own_sessions import OwnSessionsPage
from signaalwissel.console.webpages.partner_figures import PartnerFiguresPage
from signaalwissel.console.webpages.parts import FOLDER, STATIC, Pages, Parts, session_of
from signaalwissel.console.webpages.policy import PolicyPage
from signaalwissel.console.webpages.reporting import Sent
from signaalwissel.console.webpages.signal import SignalPage
from signaalwissel.console.webpages.status import StatusPage
from signaalwissel.console.webpages.task import TaskPage
from signaalwissel.console.webpages.work import WorkList
from signaalwissel.security.access_settings import Login
from signaalwissel.security.http_app import bare_app
from signaalwissel.security.http_middleware import Bounds, Observe, correlation_id, page_policy
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.http_sessions import install_login
from signaalwissel.security.sessions import Session
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

_SEE_OTHER = 303
_BODY_BYTES_MAX = 65_536
_HEADINGS = {
    400: "Dit adres of formulier klopt niet",
    401: "Inloggen is niet gelukt",
    403: "Dit mag u niet zien",
    404: "Deze pagina is er niet",
    405: "Dit kan hier niet",
    413: "Dit formulier is te groot",
    429: "Even wachten",
    500: "Er ging iets mis",
    503: "Dit kan nu niet",
}


def build_web(
    parts: Parts, login: Login | None, extra: Sequence[APIRouter] = (), observe: Observe | None = None
) -> FastAPI:
    """The app.

    Args:
        parts: What the pages are made of.
        login: The identity provider, to which forms may lead.
        extra: Routes of a development login.
        observe: Is told of every answer.
    """
    pages = Pages()
    bounds = Bounds(_BODY_BYTES_MAX, policy=page_policy(login), assets=STATIC + "/", observe=observe)
    app = bare_app("Signaalwissel", bounds)
    app.mount(STATIC, StaticFiles(directory=FOLDER / "static"))
    _add_health(app)
    app.include_router(parts.sessions.router())
    for router in extra:
        app.include_router(router)
    install_login(app)
    sent = Sent()
    work, task, letters = (
        WorkList(parts, pages, sent),
        TaskPage(parts, pages, sent),
        LettersPage(parts, pages),
    )
    own = OwnSessionsPage(parts, pages)
    seen = [_home(), work.routes(), task.routes(), letters.routes(), own.routes()]
    others = (
        *(SignalPage, DossierPage, FalloutPage, FiguresPage, PartnerFiguresPage),
        *(PolicyPage, StatusPage),
    )
    seen += [page(parts, pages).routes() for page in others]
    for router in seen:
        app.include_router(router, dependencies=[Depends(_remembered(parts.sessions.session))])
    for router in (task.forms(), letters.forms(), own.forms(), MendingPage(parts, pages).forms()):
        app.include_router(router, dependencies=[Depends(_remembered(parts.sessions.form_session))])
    _install_error_pages(app, pages)
    return app


def _remembered(dependency: Any) -> Any:
    def remember(request: Request, session: Annotated[Session, Depends(dependency)]) -> None:
        request.state.session = session

    return remember


def _home() -> APIRouter:
    router = APIRouter()

    def home(request: Request) -> Response:
        items = rights.menu(session_of(request).principal)
        if not items:
            raise Problem(403, "U heeft nog geen rol in Signaalwissel. Vraag uw beheerder om hulp.")
        return RedirectResponse(items[0].path, _SEE_OTHER)

    router.add_api_route("/", home, methods=["GET"])
    return router


def _add_health(app: FastAPI) -> None:
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    app.add_api_route("/livez", alive, methods=["GET"])
    app.add_api_route("/readyz", alive, methods=["GET"])


def _install_error_pages(app: FastAPI, pages: Pages) -> None:
    def shown(request: Request, status: int, detail: str, headers: dict[str, str]) -> Response:
        page = pages.page(
            request,
            "error.html",
            status,
            title=_HEADINGS.get(status, "Er ging iets mis"),
            detail=detail,
            request_id=correlation_id.get(),
        )
        page.headers.update(headers)
        return page

    async def of_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101 registered for it
        return shown(request, error.status, error.detail, error.headers)

    async def of_validation(request: Request, _error: Exception) -> Response:
        return shown(request, 400, "Ga terug en probeer het opnieuw.", {})

    async def of_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 registered for it
        return shown(request, error.status_code, "Ga terug of kies een pagina.", dict(error.headers or {}))

    async def of_defect(request: Request, _error: Exception) -> Response:
        return shown(
            request, 500, "De fout ligt bij ons. Probeer het opnieuw of vraag uw beheerder om hulp.", {}
        )

    app.add_exception_handler(Problem, of_problem)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_status)
    app.add_exception_handler(Exception, of_defect)
