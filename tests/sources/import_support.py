"""Samples of every system, and an import of one without Kafka."""

from pathlib import Path

from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.published import Published
from signaalwissel.processors.publishers import Publishers
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.file_import import FileImport, Report
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.import_kafka import Batch
from signaalwissel.sources.profile_loading import load_profile
from signaalwissel.sources.row_import import RowImport, Rules

SAMPLES = Path(__file__).parents[2] / "sources" / "samples"
SYSTEMS = {
    "vps": "vps.csv",
    "ris": "ris.xlsx",
    "stratech": "stratech.csv",
    "allegro": "allegro.xml",
    "onview": "onview.csv",
    "ddas-signals": "ddas-signals.json",
    "ddas-trajectories": "ddas-trajectories.json",
}
RECEIVED = 1_770_724_800_000
"""2026-02-10T12:00:00Z."""


def imported(system: str, file: Path) -> tuple[Report, list[Published]]:
    """What an import of a file comes to, and what it publishes."""
    sent: list[Published] = []

    def commit(batch: Batch) -> None:
        sent.extend(batch.records)

    loaded = load_profile(system)
    rules = Rules(packaged_policies(for_every_code=True), Publishers(), ThrowawayKeys())
    with ImportIndex() as index:
        rows = RowImport(loaded, rules, index, None, RECEIVED)
        report = FileImport(loaded.profile, rows, index, commit).run(file, write_rejects=True)
    assert report.rows == report.accepted + report.rejected
    assert report.records == len(sent)
    return report, sent


def signals(sent: list[Published]) -> list[EarlySignal]:
    return [read_early_signal(one.value) for one in sent]


def sample(system: str, folder: Path) -> Path:
    file = folder / SYSTEMS[system]
    file.write_bytes((SAMPLES / SYSTEMS[system]).read_bytes())
    return file
