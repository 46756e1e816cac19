"""The bare HTTP app that gateway and pages begin with: no generated pages, our surroundings, errors as problems.

In: title and bounds. Out: a FastAPI app.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from signaalwissel.security.http_middleware import Bounds, Surroundings
from signaalwissel.security.http_problems import install_problems
from starlette.types import Receive, Scope, Send

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class SurroundedApp(FastAPI):
    """A FastAPI app inside our surroundings.

    Not by `add_middleware`: Starlette answers for a defect outside of what is added that way.
    """

    def __init__(self, bounds: Bounds, **given: Any) -> None:
        super().__init__(**given)
        self._surroundings = Surroundings(super().__call__, bounds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._surroundings(scope, receive, send)


def bare_app(title: str, bounds: Bounds, lifespan: Lifespan | None = None, **described: Any) -> FastAPI:
    """An app without routes.

    Args:
        title: What it is.
        bounds: Of size and rate; the policy for what browsers may load.
        lifespan: Runs as long as the app.
        described: Further fields of the OpenAPI document.
    """
    app = SurroundedApp(
        bounds,
        title=title,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        **described,
    )
    install_problems(app)
    return app
