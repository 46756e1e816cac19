"""A hand-over as a process of its own: `python -m tests.sinks.open_klant_process DATABASE_URL API_URL TOKEN [STEP]`.

It kills itself with signal 9 at the named step, where there is one.
"""

import os
import signal
import sys
import threading

from signaalwissel.sinks.open_klant_settings import OpenKlantSettings
from signaalwissel.sinks.open_klant_worker import OpenKlantHandover
from signaalwissel.sinks.settings import SinkSettings


def main() -> None:
    """Run until killed, or until SIGTERM."""
    database_url, url, token, *step = sys.argv[1:]

    def observe(name: str) -> None:
        if name in step:
            os.kill(os.getpid(), signal.SIGKILL)

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    handover = OpenKlantHandover(
        SinkSettings(bootstrap="127.0.0.1:9", database_url=database_url),
        OpenKlantSettings(url=url, token=token, poll_s=0.1, timeout_s=20.0),
        observe,
    )
    handover.start()
    stopped.wait()
    handover.stop()


if __name__ == "__main__":
    main()
