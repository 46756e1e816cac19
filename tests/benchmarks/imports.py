"""Imports: a CSV of signals read, judged and published, in this process.

In: a broker and how many rows. Out: rows a second to Kafka, CPU per row without it, and what was wrong.
"""

import csv
import resource
import time
from pathlib import Path

from signaalwissel.console import runtime
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import admin, make
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.file_import import Commit, FileImport, Report
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.import_kafka import ImportTopics, writing
from signaalwissel.sources.profile_loading import load_profile
from signaalwissel.sources.row_import import RowImport, Rules
from signaalwissel.streams.topics import layout

from tests.benchmarks.report import Measurement

_RECEIVED = 1_770_724_800_000
_PREFIX = "bench-import-"
_EVENT_TIME = b"2026-02-10T12:00:00.000Z"
_HEADER = [
    "Gemeentecode",
    "Signaalnummer",
    "KvK-nummer",
    "Soort signaal",
    "BSN",
    "Postcode",
    "Huisnummer",
    "Toevoeging",
    "Geboortedatum",
    "Bedrag",
    "Ontstaansdatum",
    "Signaaldatum",
    "Crisissignaal",
]


class ImportStage:
    """Measures an import of signals.

    Attributes:
        measurements: What was measured.
        wrong: What was not as it must be, in words.
    """

    def __init__(self, bootstrap: str, folder: Path, rows: int) -> None:
        self._bootstrap = bootstrap
        self._folder = folder
        self._rows = rows
        self.measurements: list[Measurement] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        """Run everything."""
        file = self._folder / "import.csv"
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened, delimiter=";")
            writer.writerow(_HEADER)
            writer.writerows(map(_row, range(self._rows)))
        about = {"rows": self._rows}
        began = time.process_time()
        self._check(self._import(file, None, "dry"))
        cpu_us = (time.process_time() - began) * 1e6 / self._rows
        self.measurements.append(Measurement("import, CPU per row without Kafka", cpu_us, "us", about=about))
        settings = Settings(kafka_bootstrap=self._bootstrap, topic_prefix=_PREFIX, partitions=2)
        with admin(settings) as client:
            make(client, layout(runtime.names(settings), 2), 1)
        topics = ImportTopics(self._bootstrap, {}, _PREFIX, "urn:nld:test", "vps")
        with writing(topics) as writing_to:
            began = time.monotonic()
            self._check(self._import(file, lambda batch: writing_to.commit(batch, _EVENT_TIME), "sent"))
            per_second = self._rows / (time.monotonic() - began)
        self.measurements.append(Measurement("import to Kafka, throughput", per_second, "1/s", about=about))
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.measurements.append(
            Measurement("peak memory of this process after it", peak_mb, "MB", about=about)
        )

    def _import(self, file: Path, commit: Commit | None, name: str) -> Report:
        loaded = load_profile("vps")
        optional = {
            key: mapping.model_copy(update={"optional": True}) for key, mapping in loaded.profile.map.items()
        }
        loaded = loaded._replace(profile=loaded.profile.model_copy(update={"map": optional}))
        rules = Rules(packaged_policies(for_every_code=True), Publishers(), ThrowawayKeys())
        with ImportIndex(self._folder / f"index-{name}") as index:
            rows = RowImport(loaded, rules, index, None, _RECEIVED)
            return FileImport(loaded.profile, rows, index, commit).run(file, write_rejects=False)

    def _check(self, report: Report) -> None:
        if (report.rows, report.new, report.rejected) != (self._rows, self._rows, 0):
            self.wrong.append(f"import: {report.rows} rows, {report.new} new, {report.rejected} refused")


def _row(number: int) -> tuple[str, ...]:
    address = ("3511AB", str(number % 99_999 + 1), "")
    return ("0344", f"S{number}", "1234567", "Huur", "", *address, "", "100,50", "", "09-02-2026", "nee")
