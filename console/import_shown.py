"""What `import` shows: a profile's mappings and assumptions, progress, and the report of a file."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.status import Status
from rich.table import Table
from signaalwissel.console.lines import dump
from signaalwissel.console.screen import screen
from signaalwissel.sources.file_import import Report
from signaalwissel.sources.profile_loading import explanations
from signaalwissel.sources.profile_model import Profile
from signaalwissel.sources.rejects import SUFFIX


class Progress:
    """Rows so far, on standard error and only where somebody looks.

    Args:
        shown: Whether to show anything.
    """

    def __init__(self, *, shown: bool) -> None:
        console = Console(stderr=True, markup=False)
        self._status = Status("reading", console=console) if shown and console.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def rows(self, count: int) -> None:
        """So many rows of the file at hand."""
        if self._status is not None:
            self._status.update(f"{count} rows")


def show_explanation(profile: Profile, *, as_json: bool) -> None:
    """What a profile maps, and which of it is assumed."""
    found = list(explanations(profile))
    if as_json:
        about = {
            "name": profile.name,
            "title": profile.title,
            "record": profile.record.value,
            "assumed": profile.assumed,
            "fields": [one._asdict() for one in found],
        }
        print(dump(about))
        return
    shown = screen()
    shown.print(f"{profile.name}: {profile.title}")
    shown.print(f"assumed: {profile.assumed}")
    table = Table("Field", "Comes from", "Assumed")
    for one in found:
        table.add_row(one.field, one.source, one.assumed or "")
    shown.print(table)


def show(report: Report, *, dry_run: bool, as_json: bool) -> None:
    """The report of a file."""
    if as_json:
        print(dump(_plain(report, dry_run=dry_run)), flush=True)
        return
    shown = screen()
    if dry_run:
        _show_tables(report, shown)
    shown.print(_sentence(report, dry_run=dry_run))
    if report.broken is not None:
        shown.print(f"  {_place(report.broken.row)}: {report.broken.rule}")
    if report.doubt is not None:
        shown.print(f"  {report.doubt}")
    if report.rejects and not dry_run:
        shown.print(f"  what was refused stands in {report.file}{SUFFIX}")


def _sentence(report: Report, *, dry_run: bool) -> str:
    if report.outdated:
        return f"{report.file}: passed over: it was imported before, and a later export after it"
    sent = "would be sent" if dry_run else "sent"
    withdrawn = f", {report.withdrawn} trajectories withdrawn" if report.withdrawn else ""
    return (
        f"{report.file}: {report.rows} rows: {report.new} new, {report.known} known, {report.rejected} refused;"
        f" {report.records} records {sent}{withdrawn}"
    )


def _show_tables(report: Report, shown: Console) -> None:
    sent = Table("Row", "Topic", "Event", "Id")
    for sample in report.samples:
        sent.add_row(str(sample.row or ""), sample.topic, sample.kind, sample.event_id)
    wrong = Table("Row", "Column", "Field", "Rule")
    for reject in report.rejects:
        row = "" if reject.row is None else str(reject.row)
        wrong.add_row(row, ", ".join(reject.columns), reject.field or "", reject.rule)
    for table, found in ((sent, report.samples), (wrong, report.rejects)):
        if found:
            shown.print(table)


def _plain(report: Report, *, dry_run: bool) -> dict[str, Any]:
    broken = report.broken
    return {
        "file": report.file,
        "dry_run": dry_run,
        "rows": report.rows,
        "accepted": report.accepted,
        "new": report.new,
        "known": report.known,
        "rejected": report.rejected,
        "records": report.records,
        "withdrawn": report.withdrawn,
        "outdated": report.outdated,
        "broken": None if broken is None else {"row": broken.row, "rule": broken.rule},
        "doubt": report.doubt,
        "rejects": [one._asdict() for one in report.rejects],
        "records_shown": [one._asdict() for one in report.samples],
    }


def _place(row: int | None) -> str:
    return "the file" if row is None else f"from row {row} on"
