"""A whole file: read, judged row by row, published in batches, each batch whole or not at all.

Flows in: a file. Flows out: committed records and a report: rows in = accepted (new and known) + rejected. A file
that was read before adds only what is new, and so does one that a killed import left half done.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from signaalwissel.processors.published import Published
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.imports import ImportedRows, ImportedState
from signaalwissel.sources.import_index import ImportIndex
from signaalwissel.sources.import_kafka import Batch
from signaalwissel.sources.profile_fields import RecordKind
from signaalwissel.sources.profile_model import Profile
from signaalwissel.sources.readers import read_rows
from signaalwissel.sources.rejects import Reject, RejectFile
from signaalwissel.sources.row_import import Outcome, RowImport
from signaalwissel.sources.rows import FileUnreadable, Row

_BATCH_RECORDS = 1_000
_BLOCK = 1 << 16
_SAMPLES_MAX = 20
_LATER = 1 << 50
"""Later than any moment in milliseconds that a ledger holds."""


class Commit(Protocol):
    """Publishes a batch, whole or not at all."""

    def __call__(self, batch: Batch) -> None:
        """Publish it."""


class Sample(NamedTuple):
    """A record that is, or would be, sent: enough to recognise it, nothing of a person."""

    row: int
    topic: str
    event_id: str
    kind: str


@dataclass
class Report:
    """What became of a file.

    Attributes:
        file: Its name.
        rows: Rows that were read.
        new: Rows whose records were published, or would be.
        known: Rows that were published before and changed nothing.
        rejected: Rows that were refused.
        records: Records that were published, or would be.
        withdrawn: Trajectories that vanished.
        broken: Why it could not be read, or not to its end; and from which row.
        outdated: Whether it was passed over: a later export was imported after it.
        doubt: Why nothing was withdrawn although the profile says that exports are complete.
    """

    file: str
    rows: int = 0
    new: int = 0
    known: int = 0
    rejected: int = 0
    records: int = 0
    withdrawn: int = 0
    broken: FileUnreadable | None = None
    outdated: bool = False
    doubt: str | None = None
    rejects: list[Reject] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Rows that were taken."""
        return self.new + self.known

    @property
    def clean(self) -> bool:
        """Whether nothing needs anybody's attention."""
        return not self.rejected and self.broken is None and self.doubt is None


class FileImport:
    """Imports files of one system.

    Args:
        profile: Its profile.
        rows: Judges rows.
        index: What was imported before.
        commit: Publishes a batch; None for a dry run.
        progress: Told the number of rows read so far, now and then.
    """

    def __init__(
        self,
        profile: Profile,
        rows: RowImport,
        index: ImportIndex,
        commit: Commit | None,
        progress: Callable[[int], None] = lambda _rows: None,
    ) -> None:
        self._profile = profile
        self._rows = rows
        self._index = index
        self._commit = commit
        self._progress = progress
        self._number = 0
        self._files = 0

    def run(self, file: Path, *, write_rejects: bool, accept_vanished: bool = False) -> Report:
        """Import a file.

        Args:
            file: The file.
            write_rejects: Whether to write what was refused beside it.
            accept_vanished: Whether to withdraw however many vanished.

        Raises:
            OSError: It cannot be opened.
        """
        self._number += 1
        report = Report(file.name)
        fingerprint = fingerprint_of(file)
        if self._profile.record is RecordKind.TRAJECTORY_STATE and self._index.outdated(fingerprint):
            report.outdated = True
            return report
        pending = _Pending(self._profile.name, fingerprint)
        with RejectFile(file, write=write_rejects) as rejects:
            try:
                self._read(file, report, rejects, pending)
            except FileUnreadable as error:
                report.broken = error
                rejects.add(Reject(error.row, (), None, RejectionCode.UNREADABLE, error.rule))
            self._flush(pending)
            if report.broken is None:
                self._withdraw(report, rejects, pending, accept_vanished=accept_vanished)
            report.rejects = rejects.shown
        return report

    def _read(self, file: Path, report: Report, rejects: RejectFile, pending: "_Pending") -> None:
        for row in read_rows(file, self._profile):
            report.rows += 1
            try:
                outcome = self._rows.outcome(row, self._number)
            except Rejected as refusal:
                report.rejected += 1
                rejects.add(self._reject(row, refusal))
                continue
            if not outcome.records:
                report.known += 1
                continue
            report.new += 1
            self._take(outcome, row.number, report, pending)
            if len(pending.records) >= _BATCH_RECORDS:
                self._flush(pending)
                self._progress(report.rows)
        self._progress(report.rows)

    def _withdraw(
        self, report: Report, rejects: RejectFile, pending: "_Pending", *, accept_vanished: bool
    ) -> None:
        """The end of a file: what vanished, and the mark that the end was reached."""
        if self._profile.complete:
            percent_max = 100 if accept_vanished else self._profile.vanish_percent_max
            try:
                if report.rejected and not accept_vanished:
                    raise Rejected(
                        RejectionCode.INVALID_FIELD, None, "rows were refused: nothing was withdrawn"
                    )
                for outcome in self._rows.vanished(self._number, percent_max):
                    report.withdrawn += 1
                    self._take(outcome, 0, report, pending)
            except Rejected as refusal:
                report.doubt = refusal.rule
                rejects.add(Reject(None, (), None, refusal.code, refusal.rule))
        self._flush(pending, complete=True)
        self._files += 1

    def _take(self, outcome: Outcome, row: int, report: Report, pending: "_Pending") -> None:
        report.records += len(outcome.records)
        for record in outcome.records[: _SAMPLES_MAX - len(report.samples)]:
            report.samples.append(Sample(row, record.topic, record.event_id, record.kind))
        pending.records += outcome.records
        # Rows of the same batch must know each other too.
        if outcome.digest is not None:
            pending.digests.append(outcome.digest)
            self._index.add_rows((outcome.digest,))
        if outcome.state is not None:
            pending.states.append(outcome.state)
            self._index.put(outcome.state, self._number)

    def _flush(self, pending: "_Pending", *, complete: bool = False) -> None:
        batch = pending.batch()
        if self._commit is not None:
            if batch.records:
                self._commit(batch)
            if complete:
                self._commit(Batch((), ImportedRows(pending.system, pending.file, complete=True), ()))
        if complete:
            # Whatever this run reads now is later than all that the ledger holds.
            self._index.add_file(pending.file, _LATER + self._files)

    def _reject(self, row: Row, refusal: Rejected) -> Reject:
        mapping = None if refusal.field is None else self._profile.mapping_at(refusal.field)
        columns = () if mapping is None else tuple(mapping.columns())
        return Reject(row.number, columns, refusal.field, refusal.code, refusal.rule)


class _Pending:
    """What waits for its transaction."""

    def __init__(self, system: str, file: str) -> None:
        self.system = system
        self.file = file
        self.records: list[Published] = []
        self.digests: list[bytes] = []
        self.states: list[ImportedState] = []

    def batch(self) -> Batch:
        """All that waits; it waits no more."""
        ledger = ImportedRows(self.system, self.file, complete=False, rows=tuple(self.digests))
        batch = Batch(self.records, ledger if self.digests else None, self.states)
        self.records, self.digests, self.states = [], [], []
        return batch


def fingerprint_of(file: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
