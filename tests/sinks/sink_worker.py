"""A sink as a process of its own, to be killed: `python -m tests.sinks.sink_worker SETTINGS_AS_JSON`."""

import json
import logging
import sys

from signaalwissel.sinks.process import run_sink
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings
from signaalwissel.sinks.settings import SinkError, SinkSettings

from tests.sinks.sink_support import POLICIES, seal


def main() -> int:
    """Run until a signal; 3 where a service is away."""
    logging.basicConfig(level=logging.INFO)
    try:
        given = json.loads(sys.argv[1])
        if given["processing_log"] is not None:
            given["processing_log"] = ProcessingLogSettings(**given["processing_log"])
        given["departed"] = frozenset(given["departed"])
        return run_sink(SinkSettings(**given), POLICIES, seal)
    except SinkError as error:
        print(error, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
