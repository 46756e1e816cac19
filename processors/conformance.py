"""Whether a sender's system keeps to the contract: cases that it plays, and what of them lies on its topic.

In: cases from a TOML file, and the records of a topic as `look_at` saw them. Out: a verdict per case. What is told of a
failure is the case's own value and a rule; never what the sender published.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from signaalwissel.processors.simulation_lines import RECORDS
from signaalwissel.processors.wire_findings import Looked
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit

IDS: Final[Mapping[str, str]] = {
    "signals": "signal_id",
    "trajectories": "event_id",
    "task-updates": "update_id",
}
"""By which field of its record a case is recognised on a topic."""
EVERY_RECORD: Final = "every-record"
_FAILURES_MAX: Final = 20


class CasesUnusable(ValueError):
    """A file of cases cannot be used; names the case and what is wrong."""


class Case(BaseModel):
    """One case; the fields are those that conformance_cases.toml explains."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    topic: str
    title: str
    situation: str
    record: dict[str, Any]
    free: tuple[str, ...] = ()
    times: int = Field(default=1, ge=1, le=10)

    @property
    def record_id(self) -> str:
        """The number under which its record is on the topic."""
        return str(self.record[IDS[self.topic]])


class Status(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"


class Verdict(NamedTuple):
    """How a case ended, and why: each failure with the place of its record."""

    case_id: str
    title: str
    status: Status
    failures: tuple[str, ...] = ()


class Report(NamedTuple):
    """Every verdict, and how many records there were.

    Attributes:
        verdicts: In the order of the cases; the last one is about the records of no case.
        records: How many records were looked at.
    """

    verdicts: tuple[Verdict, ...]
    records: int

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return all(verdict.status is Status.PASSED for verdict in self.verdicts)


class Placed(NamedTuple):
    """A record that was looked at, with its place: `topic[partition]@offset`."""

    place: str
    looked: Looked


def packaged_cases() -> list[Case]:
    """The cases that come with the product."""
    return _cases(
        (resources.files("signaalwissel.schemas") / "conformance_cases.toml").read_text("utf-8"), ""
    )


def load_cases(file: Path) -> list[Case]:
    """The cases of a file; raises CasesUnusable."""
    try:
        return _cases(file.read_text("utf-8"), f"{file}: ")
    except OSError as error:
        raise CasesUnusable(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CasesUnusable(f"{file}: is not UTF-8") from error


def whole(case: Case) -> dict[str, Any]:
    """The record of a case with every field, as it must be on the topic; raises DoesNotFit."""
    kind = codec(RECORDS[case.topic])
    return kind.to_json(kind.from_json(case.record))


def report_of(cases: Sequence[Case], records: Iterable[Placed]) -> Report:
    """How the cases ended.

    Args:
        cases: All of one topic.
        records: What lies on the sender's topic.
    """
    found: dict[str, list[Placed]] = {case.record_id: [] for case in cases}
    of_no_case: list[str] = []
    count = 0
    for record in records:
        count += 1
        named = _id_of(cases[0].topic, record.looked)
        if named in found:
            found[named].append(record)
        elif record.looked.findings:
            of_no_case += _told(record)
    verdicts = [_verdict(case, found[case.record_id], count) for case in cases]
    status = Status.FAILED if of_no_case else Status.PASSED
    rest = Verdict(EVERY_RECORD, "Every other record keeps to the contract", status, _bounded(of_no_case))
    return Report((*verdicts, rest), count)


def _cases(text: str, where: str) -> list[Case]:
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CasesUnusable(f"{where}is not TOML: {error}") from error
    cases = [_case(number, one, where) for number, one in enumerate(plain.get("case", []), start=1)]
    if not cases:
        raise CasesUnusable(f"{where}holds no [[case]]")
    ids = [case.id for case in cases] + [f"{case.topic}/{case.record_id}" for case in cases]
    if len(set(ids)) != len(ids):
        raise CasesUnusable(f"{where}two cases have the same id, or the same number of their record")
    return cases


def _case(number: int, plain: Any, where: str) -> Case:
    try:
        case = Case.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        named = ".".join(map(str, first["loc"]))
        raise CasesUnusable(f"{where}case {number}: {named}: {first['msg']}") from None
    if case.topic not in RECORDS:
        raise CasesUnusable(f"{where}case {case.id}: topic: must be one of {', '.join(RECORDS)}")
    try:
        whole(case)
    except DoesNotFit as finding:
        raise CasesUnusable(f"{where}case {case.id}: record.{finding.field}: {finding.rule}") from None
    return case


def _id_of(topic: str, looked: Looked) -> str | None:
    return None if looked.value is None else str(looked.value[IDS[topic]])


def _verdict(case: Case, records: Sequence[Placed], count: int) -> Verdict:
    if not records:
        told = f"nothing with {IDS[case.topic]} {case.record_id} among {count} records"
        return Verdict(case.id, case.title, Status.MISSING, (told,))
    failures = [one for record in records for one in (*_told(record), *_differences(case, record))]
    if len(records) < case.times:
        failures.append(f"is there {len(records)} times, and must be there {case.times} times")
    if any(record.looked.value != records[0].looked.value for record in records):
        failures.append("is there more than once, with different content")
    status = Status.FAILED if failures else Status.PASSED
    return Verdict(case.id, case.title, status, _bounded(failures))


def _bounded(failures: Sequence[str]) -> tuple[str, ...]:
    more = len(failures) - _FAILURES_MAX
    return (*failures[:_FAILURES_MAX], f"and {more} more") if more > 0 else tuple(failures)


def _told(record: Placed) -> list[str]:
    return [
        f"{record.place}: {finding.field or 'record'}: {finding.rule} ({finding.code})"
        for finding in record.looked.findings
    ]


def _differences(case: Case, record: Placed) -> Iterator[str]:
    for path, wanted, found in _apart(whole(case), record.looked.value, ""):
        if not any(path == free or path.startswith((f"{free}.", f"{free}[")) for free in case.free):
            told = "must be absent" if wanted in (None, []) else f"must be {wanted!r} here"
            yield f"{record.place}: {path}: {told}" + (", and is absent" if found is None else "")


def _apart(wanted: Any, found: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, inner in wanted.items():
            yield from _apart(inner, found.get(name), f"{path}.{name}" if path else name)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _apart(one, other, f"{path}[{index}]")
    elif wanted != found:
        yield path, wanted, found
