"""What an export says, and its two files: JSON for machines, a page in Dutch for the resident.

Flows in: what the database holds of him. Flows out: the same with what the topics and the dead letters hold.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from signaalwissel.console import runtime
from signaalwissel.console.connections import reader
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.console.subject_scan import Keys, Scan
from signaalwissel.processors.privacy_page import as_html
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject_opening import published_in
from signaalwissel.processors.subject_page import subject_page
from signaalwissel.processors.subject_records import Scope, Selector
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.subject_requests import Ask, Exported


def content_of(found: Exported, ask: Ask, settings: Settings, provider: KeyProvider) -> dict[str, Any]:
    """The machine-readable side of an export; raises KeyUnavailable, ServiceAway."""
    municipality = found.holdings.person.municipality
    keys = Keys(provider.pseudonym_keys(municipality), provider.by_id)
    with reader(settings) as consumer:
        topics = Scan(consumer, runtime.names(settings), keys).run(found.holdings)
    return {
        "request_id": ask.request_id,
        "municipality": municipality,
        "made_at": _iso(ask.at),
        "by_address_only": found.holdings.by_address_only,
        "database": found.rows,
        "dead_letters": _letters(found, keys),
        "topics": topics,
    }


def _letters(found: Exported, keys: Keys) -> list[dict[str, Any]]:
    holdings = found.holdings
    scope = Scope(
        person=holdings.person,
        memberships={one.trajectory_id: one for one in holdings.memberships},
        refs=frozenset(holdings.signals),
        task_ids=frozenset(task.task_id for task in holdings.tasks),
        shared_task_ids=frozenset(),
        notice_ids=frozenset(),
        addressees=frozenset(),
    )
    selector = Selector(scope, *keys)
    return [
        {
            "dead_letter_id": letter.row.dead_letter_id,
            "topic": letter.row.topic,
            "timestamp": letter.row.timestamp.isoformat(),
            "code": letter.row.code,
            "field": letter.row.field,
            "rule": letter.row.rule,
            "status": letter.row.status,
            "original": selector.shown(published_in(letter.original.value)),
        }
        for letter in holdings.letters
    ]


def write(folder: Path, name: str, content: dict[str, Any]) -> list[Path]:
    """Write both sides of an export for nobody else to read; UsageFailure where they cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{name}.json", folder / f"{name}.html"]
        for file, text in zip(files, (dump(content) + "\n", as_html(subject_page(content))), strict=True):
            file.touch(mode=0o600)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise UsageFailure(f"{folder}: cannot be written: {error.strerror}") from error
    return files


def _iso(moment: Millis) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="seconds")
