"""Retention that is killed: `python -m tests.sinks.retention_worker PLAN_AS_JSON`.

The plan names a database, a folder of keys, a moment, and for each process the step at which it is killed and how often
it comes there first. Each is forked from this one. Prints how each ended.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from signaalwissel.processors.policy import Policies
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks.retention import Retention
from signaalwissel.sinks.retention_round import Tools
from signaalwissel.sinks.settings import SinkSettings

from tests.processors.followup_support import MUNICIPALITY
from tests.sinks.clock_worker import killer
from tests.sinks.retention_support import SetMoment, kept_policy

_BOUND_S = 60


def main() -> None:
    """Run every process of the plan, one after the other."""
    plan = json.loads(sys.argv[1])
    settings = SinkSettings(bootstrap="", database_url=plan["database_url"], retention_batch=plan["batch"])
    policy = kept_policy()
    policies = Policies(policy, {MUNICIPALITY: policy})
    ends = []
    for step, times in plan["kills"]:
        child = os.fork()
        if not child:
            signal.alarm(_BOUND_S)
            keys = LocalKeys(Path(plan["keys"]))
            tools = Tools(keys, SetMoment(plan["moment"]), _killer(step, times))
            Retention(settings, policies, tools).run()
            os._exit(1)
        ends.append(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(ends))


def _killer(step: str, times: int) -> Callable[[str], None]:
    kill = killer(step, times)

    def observe(done: str) -> None:
        kill(done)
        if done == "retention.round":
            # Nothing is left to be killed at: the test must see that.
            os._exit(2)

    return observe


if __name__ == "__main__":
    main()
