"""A process of its own that holds both servers, to be killed or to run as somebody else."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil
import psycopg
from kafka import KafkaAdminClient
from signaalwissel.deploy.platform import Platform

PROGRAM: Final = """
import json, os, signal, site, sys
site.addsitedir(sys.argv[1])
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.settings import PlatformSettings

with platform(PlatformSettings.from_environment(os.environ)) as held:
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit())
    print(json.dumps([held.kafka_bootstrap, held.database_url]), flush=True)
    signal.pause()
"""


class Holder:
    """Starts both servers and keeps them until it is told to end, or is killed."""

    def __init__(
        self, folder: Path, cache: Path, user: str | None = None, python: Sequence[str] = (sys.executable,)
    ) -> None:
        entry = None if user is None else pwd.getpwnam(user)
        site_packages = str(Path(psutil.__file__).parent.parent)
        self._process = subprocess.Popen(
            [*python, "-c", PROGRAM, site_packages],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "TMPDIR": str(folder),
                "SIGNAALWISSEL_CACHE": str(cache),
            },
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
            user=entry and entry.pw_uid,
            group=entry and entry.pw_gid,
            extra_groups=None if entry is None else [],
        )

    def servers(self) -> Platform:
        """Wait for both servers; return where they are."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the holder ended with status {self._process.wait(20)}"
        return Platform(*json.loads(line))

    def family(self) -> list[psutil.Process]:
        """Return every process that it started, with those that they started."""
        return psutil.Process(self._process.pid).children(recursive=True)

    def end(self, how: signal.Signals) -> None:
        """Send a signal and wait for the holder itself."""
        self._process.send_signal(how)
        self._process.wait(60)
        if self._process.stdout is not None:
            self._process.stdout.close()


def both_answer(where: Platform) -> bool:
    """Tell whether both servers answer a question."""
    admin = KafkaAdminClient(bootstrap_servers=where.kafka_bootstrap)
    topics: list[str] = admin.list_topics()
    admin.close()
    with psycopg.connect(where.database_url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        row = connection.execute("SELECT 1").fetchone()
    return topics == [] and row == (1,)
