"""Clocks that are killed: `python -m tests.sinks.clock_worker PLAN_AS_JSON`.

The plan names a database, a day, and for each clock the step at which it is killed and how often it comes there first.
Each clock is a process of its own, forked from this one, so that a hundred of them cost seconds. Prints how each
ended.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import date

from signaalwissel.sinks.clock import Clock
from signaalwissel.sinks.settings import SinkSettings

from tests.sinks.clock_support import SetTime
from tests.sinks.sink_support import POLICIES

_BOUND_S = 30


def main() -> None:
    """Run every clock of the plan, one after the other."""
    plan = json.loads(sys.argv[1])
    settings = SinkSettings(bootstrap="", database_url=plan["database_url"], clock_batch=plan["batch"])
    ends = []
    for step, times in plan["kills"]:
        child = os.fork()
        if not child:
            signal.alarm(_BOUND_S)
            Clock(settings, POLICIES, SetTime(date.fromisoformat(plan["day"])), killer(step, times)).run()
            os._exit(1)
        ends.append(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(ends))


def killer(step: str, times: int) -> Callable[[str], None]:
    """Kills this process when it comes to a step for the n-th time."""
    left = times

    def observe(done: str) -> None:
        nonlocal left
        left -= done == step
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    return observe


if __name__ == "__main__":
    main()
