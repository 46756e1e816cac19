"""Exports for tests of `import`, and the program as a user starts it."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import admin, make
from signaalwissel.streams.topics import layout

SAMPLES = Path(__file__).parents[2] / "sources" / "samples"
RECEIVED = "2026-02-10T12:00:00Z"
SIGNAL_HEADER = ["gemeente", "nummer", "bsn", "bedrag", "datum"]
OWN_PROFILE = """
name = "eigen"
title = "A partner's own file"
assumed = "nothing: the partner wrote it down"
record = "signal"

[source]
format = "csv"

[map]
municipality = { column = "gemeente", required = true }
signal_id = { column = "nummer", required = true }
partner_id = { constant = "woonstichting" }
partner_kind = { constant = "RENT" }
bsn = { column = "bsn", required = true }
arrears = { column = "bedrag", decimal = "," }
signalled_on = { column = "datum", dates = ["%d-%m-%Y"] }
"""


class Importing:
    """An installation of topics and keys in which imports run."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, partitions: int = 2) -> None:
        self.folder = folder
        self.prefix = prefix
        self.bootstrap = bootstrap
        self.environment = {
            **os.environ,
            "SIGNAALWISSEL_KAFKA_BOOTSTRAP": bootstrap,
            "SIGNAALWISSEL_TOPIC_PREFIX": prefix,
            "SIGNAALWISSEL_KEY_DIR": str(folder / "keys"),
            "SIGNAALWISSEL_EVERY_MUNICIPALITY": "true",
        }
        settings = Settings(kafka_bootstrap=bootstrap, topic_prefix=prefix, partitions=partitions)
        with admin(settings) as client:
            make(client, layout(runtime.names(settings), partitions), 1)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start `import`."""
        command = [sys.executable, "-m", "signaalwissel.console", "import", *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run `import --json` to its end: exit code, reports, standard error."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=120)
        return process.returncode, [json.loads(line) for line in out.splitlines()], err

    def read(self, topic: str) -> list[Any]:
        """The committed records of a topic."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        try:
            name = self.prefix + topic
            places = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            consumer.seek_to_beginning(*places)
            records: list[Any] = []
            while any(consumer.position(place) < end for place, end in ends.items()):
                for polled in consumer.poll(timeout_ms=1000).values():
                    records += polled
            return records
        finally:
            consumer.close()


def own_profile(folder: Path) -> str:
    """A profile of one's own, and its path."""
    file = folder / "eigen.toml"
    file.write_text(OWN_PROFILE, "utf-8")
    return str(file)


def bsn_of(number: int) -> str:
    """A BSN of the test range that passes the 11-proof, for numbers below 900."""
    return _TEST_BSNS[number % len(_TEST_BSNS)]


def signal_rows(numbers: Iterable[int]) -> list[list[str]]:
    """Rows of one's own profile."""
    return [["0344", f"S{number}", bsn_of(number), f"{100 + number},50", "09-02-2026"] for number in numbers]


def write_csv(file: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = SIGNAL_HEADER) -> Path:
    """A CSV file as a system writes it."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, delimiter=";")
        writer.writerow(header)
        writer.writerows(rows)
    return file


def _passes(bsn: str) -> bool:
    return sum(w * int(d) for w, d in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), bsn, strict=True)) % 11 == 0


_TEST_BSNS = [bsn for bsn in (f"99999{number:04d}" for number in range(10_000)) if _passes(bsn)]
