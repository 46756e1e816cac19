"""The reader of each format."""

from collections.abc import Iterator
from pathlib import Path

from signaalwissel.sources.profile_model import Profile
from signaalwissel.sources.rows import Row
from signaalwissel.sources.sheet_readers import csv_rows, xlsx_rows
from signaalwissel.sources.tree_readers import json_rows, xml_rows


def read_rows(file: Path, profile: Profile) -> Iterator[Row]:
    """The rows of an export, one at a time; raises FileUnreadable."""
    source = profile.source
    if source.format == "csv":
        return csv_rows(file, source, profile.columns())
    if source.format == "xlsx":
        return xlsx_rows(file, source, profile.columns())
    return json_rows(file, source) if source.format == "json" else xml_rows(file, source)
