"""`up --demo`: signals of residents who do not exist, of the days before today, for somebody to handle on the pages.

In: a running installation. Out: records on Kafka, handled to the end; and as whom to log in.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from signaalwissel.console import runtime
from signaalwissel.console.failures import ServiceAway
from signaalwissel.console.lag import total_lag
from signaalwissel.console.publish import Partner
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.progress import PlatformProgress
from signaalwissel.processors.amsterdam import add_months, amsterdam_day, start_of_day
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation_lines import kind_of, read_line
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.outcomes import Busy, busiest_counsellor
from signaalwissel.sources.generator import generate
from signaalwissel.streams.clock import now_ms

_RESIDENTS, _SIGNALS, _SEED, _HISTORY = 1500, 900, 1, 0.5
_DAYS = 12
"""Older ones would be nearly due: whoever looks around finds work that has just come."""
_BOUND_S = 240.0
_LOOK_S = 0.5


class Filled(NamedTuple):
    """What there is to do, and for whom."""

    signals: int
    busy: Busy


def give_work(settings: Settings, check: Callable[[], None], progress: PlatformProgress) -> Filled:
    """Send the records and wait until all of them are handled.

    Args:
        settings: Of the installation.
        check: Raises ServiceAway when a process of it has ended.
        progress: Is told what is done.

    Raises:
        ServiceAway: It takes too long, or a process has ended.
    """
    signals = 0
    with progress.step("Sending signals of residents who do not exist", None), Partner(settings) as partner:
        for line in recent_lines(now_ms()):
            try:
                topic = partner.send(line)
            except Rejected:
                # The generator makes a few that nobody could send: those are for `validate`.
                continue
            signals += kind_of(topic) == "signals"
    with progress.step("Handling them", None):
        busy = _handled(settings, check)
    return Filled(signals, busy)


def recent_lines(now: Millis) -> Iterator[dict[str, Any]]:
    """Generated lines as they would have come until now, with the signals of the last days alone."""
    today = amsterdam_day(now)
    since = start_of_day(today - timedelta(days=_DAYS))
    month = add_months(today.replace(day=1), -1)
    for line in generate(_RESIDENTS, _SIGNALS, _SEED, month=month, months=2, history=_HISTORY):
        try:
            record = read_line(str(line["topic"]), line["value"])
        except Rejected:
            continue
        if isinstance(record, EarlySignal):
            if since <= record.received_at <= now:
                yield line
        elif getattr(record, "recorded_at", now) <= now:
            yield line


def _handled(settings: Settings, check: Callable[[], None]) -> Busy:
    engine = open_engine(runtime.database_url(settings), name="signaalwissel-up-demo")
    deadline = time.monotonic() + _BOUND_S
    while time.monotonic() < deadline:
        check()
        if total_lag(settings) == 0 and (busy := busiest_counsellor(engine)) is not None:
            return busy
        time.sleep(_LOOK_S)
    raise ServiceAway(f"the signals were not handled within {_BOUND_S:.0f} s; the logs above tell why")
