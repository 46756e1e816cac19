"""How long a service may be away: tried again with growing pauses, then a clear error (design 9).

Flows in: a session that works until it is told to stop or a service goes away. Flows out: its orderly end, or
SinkError when the service stayed away.
"""

import logging
import threading
from collections.abc import Callable

from signaalwissel.sinks.settings import ServiceAway, SinkError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay
from tenacity import wait_random_exponential as wait_growing

log = logging.getLogger(__name__)

_PAUSE_S_MAX = 5.0


class Patience:
    """Tries for a bounded time; every session that got something done starts the time anew.

    Args:
        bound_s: How long a service may be away.
        who: Who waits, for log and error.
    """

    def __init__(self, bound_s: float, who: str) -> None:
        self._bound_s = bound_s
        self._who = who

    def keep_trying(self, session: Callable[[], bool], stopped: threading.Event) -> None:
        """Run sessions until one gives True or `stopped` is set.

        Args:
            session: Gives True at its orderly end, False to be run again at once; raises ServiceAway when a
                service was away before it got anything done.
            stopped: Set from outside.

        Raises:
            SinkError: A service stayed away for longer than the bound; names it.
        """
        while not stopped.is_set():
            try:
                if self._retrying(stopped)(session):
                    return
            except ServiceAway as away:
                if stopped.is_set():
                    return
                raise SinkError(
                    f"{self._who}: gave up after {self._bound_s:g} s. {away}. Nothing is lost: start the sink again "
                    "when the service is back."
                ) from away

    def _retrying(self, stopped: threading.Event) -> Retrying:
        over = stop_after_delay(self._bound_s)
        return Retrying(
            retry=retry_if_exception_type(ServiceAway),
            stop=lambda state: stopped.is_set() or over(state),
            wait=wait_growing(multiplier=0.2, max=_PAUSE_S_MAX),
            sleep=lambda pause_s: _pause(stopped, pause_s),
            before_sleep=self._tell,
            reraise=True,
        )

    def _tell(self, state: RetryCallState) -> None:
        outcome = state.outcome
        log.warning("%s waits: %s", self._who, outcome.exception() if outcome else "")


def _pause(stopped: threading.Event, pause_s: float) -> None:
    stopped.wait(pause_s)
