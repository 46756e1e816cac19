"""DDAS messages as files: pages within the limits, each validated against the schema before it is written.

Flows in: objects of the model, one municipality after the other. Flows out: files of JSON that appear together when
all of them are whole. One page is held in memory.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jsonschema_rs

SIGNALS_MAX = 50_000
TRAJECTORIES_MAX = 25_000


class MessageInvalid(ValueError):
    """A page does not fit its schema: names the place and the rule, never a value. Nothing is written."""


@dataclass(frozen=True, slots=True)
class Model:
    """One of the two exchange models.

    Attributes:
        name: What its files begin with.
        records: The list of a delivery whose objects count.
        limit: How many of them a message may have.
    """

    name: str
    schema: str
    records: str
    limit: int


SIGNALS = Model("ddas-vroegsignalen", "ddas_signals_1_2.json", "vroegsignalen", SIGNALS_MAX)
TRAJECTORIES = Model(
    "ddas-schuldhulptrajecten", "ddas_trajectories_1_0.json", "schuldhulptrajecten", TRAJECTORIES_MAX
)


@dataclass(slots=True)
class _Open:
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    municipality: str | None = None
    count: int = 0


class Pages:
    """Writes the pages of one model.

    Args:
        model: Which.
        folder: Where the files come.
        head: Period, moment and supplier: the fields of the message beside `leveringen`.
        delivery_of: The delivery of a municipality without `teller` and lists.
        page_size: How many records a page has at most; never above the model's limit.

    Leaving the block in order makes the files appear; on an error none does.
    """

    def __init__(
        self,
        model: Model,
        folder: Path,
        head: dict[str, str],
        delivery_of: Callable[[str], dict[str, Any]],
        page_size: int,
    ) -> None:
        self.total = 0
        self.files: list[Path] = []
        self._model, self._folder, self._head, self._delivery_of = model, folder, head, delivery_of
        self._size = min(page_size, model.limit)
        self._validator = jsonschema_rs.Draft202012Validator(_schema(model.schema), validate_formats=True)
        self._page = _Open()
        self._parts: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            for part in self._parts:
                part.unlink(missing_ok=True)

    def add(self, municipality: str, record: dict[str, Any]) -> None:
        """Add a record that counts."""
        if self._page.count == self._size:
            self._write()
        self._of(municipality).setdefault(self._model.records, []).append(record)
        self._page.count += 1
        self.total += 1

    def add_beside(self, municipality: str, name: str, entry: dict[str, Any]) -> None:
        """Add an object to another list of the municipality's delivery; it does not count."""
        self._of(municipality).setdefault(name, []).append(entry)

    def _of(self, municipality: str) -> dict[str, Any]:
        page = self._page
        if page.municipality != municipality:
            page.municipality = municipality
            page.deliveries.append({"teller": len(page.deliveries) + 1, **self._delivery_of(municipality)})
        return page.deliveries[-1]

    def _write(self) -> None:
        content = {**self._head, "leveringen": self._page.deliveries}
        self._check(content)
        number = len(self._parts) + 1
        part = self._folder / f".{self._model.name}-{number:04}.json.part"
        part.touch(mode=0o600)
        self._parts.append(part)
        with part.open("w", encoding="utf-8") as opened:
            opened.write('{"gegevens": ')
            json.dump(content, opened, ensure_ascii=False)
        self._page = _Open()

    def _check(self, content: dict[str, Any]) -> None:
        for error in self._validator.iter_errors(content):
            where = "/".join(map(str, error.instance_path))
            raise MessageInvalid(
                f"{self._model.name}, page {len(self._parts) + 1}: {where}: breaks the schema's rule"
                f" {'/'.join(map(str, error.schema_path))}"
            )

    def _finish(self) -> None:
        if self._page.deliveries:
            self._write()
        pages = len(self._parts)
        for number, part in enumerate(self._parts, 1):
            paging = {
                "pageSize": self._size,
                "currentPage": number,
                "totalPages": pages,
                "totalRecords": self.total,
            }
            with part.open("a", encoding="utf-8") as opened:
                opened.write((f', "paginering": {json.dumps(paging)}' if pages > 1 else "") + "}\n")
        for part in self._parts:
            whole = part.with_name(part.name[1:].removesuffix(".part"))
            part.replace(whole)
            self.files.append(whole)


def _schema(name: str) -> dict[str, Any]:
    text = resources.files("signaalwissel.sources").joinpath(name).read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
