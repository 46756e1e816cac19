"""Errors over HTTP as problem+json (RFC 9457, NL API Design Rules): all findings at once, no trace, no echo of input.

In: a Problem, or whatever else went wrong in a request. Out: an answer with status, title and detail.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

PROBLEM_JSON = "application/problem+json"
_TITLES = {
    400: "Ongeldig verzoek",
    401: "Niet aangemeld",
    403: "Niet toegestaan",
    404: "Niet gevonden",
    405: "Methode niet toegestaan",
    406: "Formaat niet beschikbaar",
    409: "Conflict",
    413: "Verzoek te groot",
    415: "Formaat niet ondersteund",
    429: "Te veel verzoeken",
    500: "Interne fout",
    503: "Tijdelijk niet beschikbaar",
}


class Problem(Exception):
    """An answer that tells what is wrong with a request.

    Args:
        status: HTTP's.
        detail: What is wrong and what to do; holds no value of the request.
        errors: Each finding: `field` and `rule`, and `index` in a batch.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The answer."""
        content: dict[str, Any] = {
            "type": "about:blank",
            "status": self.status,
            "title": _TITLES.get(self.status, "Fout"),
            "detail": self.detail,
        }
        if self.errors:
            content["errors"] = self.errors
        return JSONResponse(content, self.status, self.headers, PROBLEM_JSON)


def install_problems(app: FastAPI) -> None:
    """Have an app answer every error as a problem."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_status)
    app.add_exception_handler(Exception, _of_defect)


async def _of_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 registered for it
    return error.response()


async def _of_validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 registered for it
    # The validator's own messages may repeat what was sent; its kind of error and the place do not.
    errors = [{"field": ".".join(map(str, one["loc"])), "rule": one["type"]} for one in error.errors()]
    return Problem(
        400, "Het verzoek heeft niet de vorm die de beschrijving vraagt.", errors=errors
    ).response()


async def _of_status(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 registered for it
    headers = dict(error.headers or {})
    return Problem(
        error.status_code, _TITLES.get(error.status_code, "Fout") + ".", headers=headers
    ).response()


async def _of_defect(_request: Request, _error: Exception) -> JSONResponse:
    # Starlette raises the error again once the answer is sent: the server's log has its trace, the client never.
    return Problem(500, "Er ging iets mis bij ons. Noem het correlatie-id bij een vraag.").response()
