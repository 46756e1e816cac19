"""Second files of a profile: a column's value to another, such as a partner's name to its id.

In: CSV files in UTF-8 with a header, small enough for memory. Out: a dictionary each, keys without case.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from signaalwissel.sources.profile_model import Lookup

Tables = Mapping[str, Mapping[str, str]]
_ROWS_MAX = 100_000


class LookupUnusable(ValueError):
    """A second file cannot be used: names it, and what is wrong."""


def read_tables(lookups: Mapping[str, Lookup], folder: Path) -> Tables:
    """Read every second file; raises LookupUnusable."""
    return {name: _table(f"lookups.{name}", lookup, folder) for name, lookup in lookups.items()}


def folded(text: str) -> str:
    """A text as codes and keys compare: without case and outer spaces."""
    return " ".join(text.split()).casefold()


def _table(where: str, lookup: Lookup, folder: Path) -> Mapping[str, str]:
    file = folder / lookup.file
    found: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, delimiter=lookup.delimiter)
            missing = {lookup.key, lookup.value} - set(reader.fieldnames or ())
            if missing:
                raise LookupUnusable(f"{where}: {file}: has no column {', '.join(sorted(missing))}")
            for number, row in enumerate(reader, start=1):
                if number > _ROWS_MAX:
                    raise LookupUnusable(f"{where}: {file}: has more than {_ROWS_MAX} rows")
                found[folded(row[lookup.key] or "")] = row[lookup.value] or ""
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LookupUnusable(
            f"{where}: {file}: cannot be read as CSV in UTF-8: {type(error).__name__}"
        ) from error
    return found
