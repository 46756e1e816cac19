"""Mapping profiles: a TOML file that says how rows of a system's export become our records.

In: TOML tables. Out: frozen values, checked whole at load. The packaged profiles are in `sources/profiles/`; a
municipality copies one, changes it and names its own file on the command line.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from signaalwissel.processors.policy_sections import Section
from signaalwissel.schemas.followup import Feedback
from signaalwissel.sources.profile_fields import (
    FIELDS,
    SERVICE,
    SUBJECT,
    WITH_CLIENTS,
    CellType,
    Fields,
    RecordKind,
    TargetField,
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_PLAIN = frozenset({CellType.TEXT, CellType.BSN})
_CONSTANT = {
    CellType.TEXT: str,
    CellType.CODE: str,
    CellType.MUNICIPALITY: str,
    CellType.INTEGER: int,
    CellType.FLAG: bool,
}


class Condition(Section):
    """The mapping holds only for rows whose `column` has one of these values, compared without case."""

    column: Column
    one_of: tuple[str, ...] = Field(min_length=1, max_length=100)


class FieldMapping(Section):
    """Where one field comes from: a column, a constant, or an id derived from several columns.

    `derive` gives a keyed digest, for systems that export no number: the same columns give the same id.
    """

    column: Column | None = None
    constant: str | int | bool | None = None
    derive: tuple[Column, ...] = Field(default=(), max_length=10)
    optional: bool = False
    required: bool = False
    codes: str | None = None
    lookup: str | None = None
    otherwise: str | None = None
    dates: tuple[str, ...] = Field(default=(), max_length=10)
    serial: bool = False
    decimal: Literal[",", "."] = "."
    pad: int | None = Field(default=None, ge=1, le=40)
    extract: str | None = Field(default=None, max_length=200)
    only_if: Condition | None = None
    assumed: str | None = None

    @field_validator("extract")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError("must have exactly one group in brackets: what is taken")
        return pattern

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.column is not None, self.constant is not None, bool(self.derive)].count(True) != 1:
            raise ValueError("must have exactly one of column, constant and derive")
        return self

    def columns(self) -> Iterator[str]:
        """The columns that it reads."""
        if self.column is not None:
            yield self.column
        yield from self.derive
        if self.only_if is not None:
            yield self.only_if.column


class ServiceMapping(Section):
    """A service with its days; `repeat` names a list in the export, and the columns are then those of its items."""

    repeat: Column | None = None
    service: FieldMapping
    begin: FieldMapping
    end: FieldMapping | None = None

    def fields(self) -> dict[str, FieldMapping]:
        """Its mappings by field."""
        end = {} if self.end is None else {"end": self.end}
        return {"service": self.service, "begin": self.begin, **end}


class Source(Section):
    """How the file is read.

    `records` is where the rows are in JSON (`leveringen.item.vroegsignalen`, lists by `item`) and XML (the element).
    """

    format: Literal["csv", "xlsx", "json", "xml"]
    encodings: tuple[str, ...] = Field(default=("utf-8-sig",), min_length=1, max_length=5)
    delimiter: str = Field(default=";", min_length=1, max_length=1)
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1, le=100)
    records: str | None = None
    empty: tuple[str, ...] = ()

    @field_validator("encodings")
    @classmethod
    def _known(cls, encodings: tuple[str, ...]) -> tuple[str, ...]:
        for encoding in encodings:
            try:
                "".encode(encoding)
            except LookupError:
                raise ValueError(f"{encoding} is no known encoding") from None
        return encodings

    @model_validator(mode="after")
    def _records(self) -> Self:
        if self.format in {"json", "xml"} and self.records is None:
            raise ValueError(f"records must say where the rows of a {self.format} file are")
        return self

    @property
    def has_header(self) -> bool:
        """Whether every column must be in the file's header."""
        return self.format in {"csv", "xlsx"}


class Lookup(Section):
    """A second file, CSV in UTF-8 with a header: the value of a column for a key. Its path counts from the profile."""

    file: str
    key: Column
    value: Column
    delimiter: str = Field(default=";", min_length=1, max_length=1)


class AnswerColumn(Section):
    """A column of the answer file."""

    name: Column
    value: Literal[
        "signal_id", "partner_id", "partner_kind", "municipality", "received_on", "outcome", "told_on"
    ]


class Answer(Section):
    """How `export` writes the outcome per signal, in the system's own terms."""

    delimiter: str = Field(default=";", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    columns: tuple[AnswerColumn, ...] = Field(min_length=1, max_length=20)
    pending: str
    terms: dict[Feedback, str]
    assumed: str | None = None

    @model_validator(mode="after")
    def _every_term(self) -> Self:
        missing = [one.value for one in Feedback if one not in self.terms]
        if missing:
            raise ValueError(f"terms: {', '.join(missing)}: must have the system's term")
        return self


class Webhook(Section):
    """The system may post to the gateway what the profile maps: JSON objects, one or a list of them."""

    assumed: str | None = None


class Profile(Section):
    """A whole profile."""

    name: Name
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    assumed: str
    record: RecordKind
    complete: bool = False
    vanish_percent_max: int = Field(default=5, ge=0, le=100)
    source: Source
    map: dict[str, FieldMapping]
    clients: tuple[dict[str, FieldMapping], ...] = Field(default=(), max_length=2)
    services: tuple[ServiceMapping, ...] = Field(default=(), max_length=10)
    codes: dict[str, dict[str, str]] = Field(default_factory=dict)
    lookups: dict[str, Lookup] = Field(default_factory=dict)
    answer: Answer | None = None
    webhook: Webhook | None = None

    @model_validator(mode="after")
    def _posted(self) -> Self:
        if self.webhook is None:
            return self
        if self.source.format != "json":
            raise ValueError("webhook: what is posted is JSON, so source.format must be json")
        if self.record is RecordKind.TRAJECTORY_STATE:
            raise ValueError(
                f"webhook: a {self.record} is compared with the last export; post events instead"
            )
        if any(mapping.derive for _, _, mappings in self.tables() for mapping in mappings.values()):
            raise ValueError(
                "webhook: derive needs keys, which the gateway has not; map the system's own number"
            )
        return self

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for where, fields, mappings in self.tables():
            self._fits(where, fields, mappings)
        wants_clients = self.record in WITH_CLIENTS
        if bool(self.clients) != wants_clients:
            said = (
                "needs at least one [[clients]]"
                if wants_clients
                else "has its person in [map], no [[clients]]"
            )
            raise ValueError(f"clients: a {self.record} {said}")
        if self.record is not RecordKind.TRAJECTORY_STATE and (self.services or self.complete):
            raise ValueError(f"services and complete: only a {RecordKind.TRAJECTORY_STATE} has them")
        return self

    def tables(self) -> Iterator[tuple[str, Fields, dict[str, FieldMapping]]]:
        """Every table of mappings: its place in the file, the fields that it may have, the mappings."""
        yield "map", FIELDS[self.record], self.map
        for number, client in enumerate(self.clients):
            yield f"clients.{number}", SUBJECT, client
        for number, service in enumerate(self.services):
            yield f"services.{number}", SERVICE, service.fields()

    def mapping_at(self, where: str) -> FieldMapping | None:
        """The mapping behind a field of a refusal, `subject.bsn` or `clients[0].bsn`, or None."""
        name = where.rsplit(".", 1)[-1]
        if where.startswith("clients[") and "." in where:
            number = int(where[len("clients[")])
            return self.clients[number].get(name) if number < len(self.clients) else None
        return self.map.get(name)

    def columns(self) -> list[str]:
        """The columns that the header must have, in order of the profile."""
        found = [
            column
            for where, _, mappings in self.tables()
            for mapping in mappings.values()
            if not mapping.optional and not (where.startswith("services") and self._repeats(where))
            for column in mapping.columns()
        ]
        return list(dict.fromkeys(found))

    def _repeats(self, where: str) -> bool:
        return self.services[int(where.rsplit(".", 1)[1])].repeat is not None

    def _fits(self, where: str, fields: Fields, mappings: dict[str, FieldMapping]) -> None:
        for name, mapping in mappings.items():
            if name not in fields:
                raise ValueError(f"{where}.{name}: is no field of it; there are {', '.join(fields)}")
            self._fits_field(f"{where}.{name}", fields[name], mapping)
        missing = [name for name, field in fields.items() if field.needed and name not in mappings]
        if missing:
            raise ValueError(f"{where}: {', '.join(missing)}: must be mapped")

    def _fits_field(self, where: str, field: TargetField, mapping: FieldMapping) -> None:
        if (
            field.type in {CellType.CODE, CellType.FLAG}
            and mapping.constant is None
            and mapping.codes is None
        ):
            raise ValueError(f"{where}.codes: must name a code list: it is a {field.type}")
        if field.type in {CellType.DAY, CellType.MOMENT} and not mapping.dates and mapping.column is not None:
            raise ValueError(f"{where}.dates: must say how its dates are written, like ['%d-%m-%Y']")
        if mapping.derive and field.type is not CellType.TEXT:
            raise ValueError(f"{where}.derive: gives a text; this is a {field.type}")
        if mapping.pad is not None and field.type not in _PLAIN:
            raise ValueError(f"{where}.pad: is for texts; this is a {field.type}")
        if mapping.lookup is not None and mapping.lookup not in self.lookups:
            raise ValueError(f"{where}.lookup: there is no [lookups.{mapping.lookup}]")
        if mapping.constant is not None:
            _fits_constant(where, field, mapping.constant)
        if mapping.codes is not None:
            self._fits_codes(f"{where}.codes", field, mapping)

    def _fits_codes(self, where: str, field: TargetField, mapping: FieldMapping) -> None:
        listed = self.codes.get(mapping.codes or "")
        if listed is None:
            raise ValueError(f"{where}: there is no [codes.{mapping.codes}]")
        allowed = ("true", "false") if field.type is CellType.FLAG else field.codes
        given = {*listed.values(), *([] if mapping.otherwise is None else [mapping.otherwise])}
        wrong = sorted(given - set(allowed)) if allowed else []
        if wrong:
            raise ValueError(f"{where}: {', '.join(wrong)}: must be one of {', '.join(allowed)}")


def _fits_constant(where: str, field: TargetField, constant: str | int | bool) -> None:
    wanted = _CONSTANT.get(field.type)
    if wanted is None or type(constant) is not wanted:
        raise ValueError(f"{where}.constant: cannot be a {field.type}")
    if field.codes and constant not in field.codes:
        raise ValueError(f"{where}.constant: must be one of {', '.join(field.codes)}")
