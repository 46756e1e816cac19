"""Rows into records, by a profile.

In: a profile with its second files, a row. Out: a signal, the state of a trajectory, a lifecycle event or a task
update; or a refusal that names field and rule, never a value. Whether the record may go in is checked behind this, by
the same rules as intake (domain 8.16).
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.followup import ContactChannel, ContactOutcome, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.imports import CaseCourse, CaseService, CaseSpan
from signaalwissel.schemas.signal import EarlySignal, Partner, PartnerKind, Subject
from signaalwissel.schemas.trajectory import (
    Counsellor,
    ExitReason,
    Service,
    Solution,
    TrajectoryEvent,
    TrajectoryEventKind,
)
from signaalwissel.schemas.units import Millis
from signaalwissel.sources.case_states import CaseState
from signaalwissel.sources.field_readers import FieldReader, reader_of
from signaalwissel.sources.profile_fields import FIELDS, SERVICE, SUBJECT, RecordKind
from signaalwissel.sources.profile_loading import Loaded
from signaalwissel.sources.rows import Cell, Row

Mapped: TypeAlias = EarlySignal | CaseState | TrajectoryEvent | TaskUpdate
_REPEATS_MAX = 200


class Made(NamedTuple):
    """What a row became. `dated` tells whether the row itself says when it came in."""

    record: Mapped
    dated: bool


class _ServiceReaders(NamedTuple):
    repeat: str | None
    readers: Mapping[str, FieldReader]


class Mapper:
    """Makes records of rows.

    Args:
        loaded: The profile and its second files.
        municipality: Stands in for the profile's constant, where the export names none.
        digest: A keyed digest of columns, for ids that are derived.
    """

    def __init__(
        self, loaded: Loaded, municipality: str | None, digest: Callable[[str, bytes], bytes]
    ) -> None:
        profile, lookups = loaded
        self._record = profile.record
        map_ = dict(profile.map)
        if "municipality" in map_:
            where = map_.pop("municipality")
            if municipality is not None and where.constant is not None:
                where = where.model_copy(update={"constant": municipality})
            # Read first: a derived id is a digest under the municipality's key.
            map_ = {"municipality": where, **map_}
        empty = frozenset(word.casefold() for word in profile.source.empty)
        make = _Making(profile.codes, lookups, empty, digest)
        self._fields = make.readers(FIELDS[profile.record], map_)
        self._clients = [make.readers(SUBJECT, client) for client in profile.clients]
        self._services = [
            _ServiceReaders(service.repeat, make.readers(SERVICE, service.fields()))
            for service in profile.services
        ]

    def record(self, row: Row, moment: Millis) -> Made:
        """The record of a row.

        Args:
            row: A row that is one.
            moment: When it came in, where the export does not say.

        Raises:
            Rejected: A cell does not fit its field, or a field that every record needs is empty.
        """
        values = _read(self._fields, row.cells, "")
        if self._record is RecordKind.SIGNAL:
            return Made(_signal(values, moment), values.get("received_at") is not None)
        dated = values.get("recorded_at") is not None
        if self._record is RecordKind.TASK_UPDATE:
            return Made(_task_update(values), dated)
        clients = tuple(
            Subject(**found)
            for number, readers in enumerate(self._clients)
            if _is_somebody(found := _read(readers, row.cells, f"clients[{number}]."))
        )
        if self._record is RecordKind.TRAJECTORY_EVENT:
            return Made(_event(values, clients, moment), dated)
        return Made(_state(values, clients, tuple(self._services_of(row.cells))), dated)

    def _services_of(self, cells: Mapping[str, Cell]) -> list[CaseService]:
        found = []
        for service in self._services:
            for prefix in _items(service.repeat, cells):
                at = cells if not prefix else _below(prefix, cells)
                values = _read(service.readers, at, "services.")
                if values["service"] is None and values["begin"] is None:
                    continue
                # Every service has a beginning; without one nobody knows whether it counts.
                kind, begin = Service(_needed(values, "service")), _needed(values, "begin")
                found.append(CaseService(kind, CaseSpan(begin, values.get("end"))))
        return found


class _Making(NamedTuple):
    """What readers are made with."""

    codes: Mapping[str, Mapping[str, str]]
    lookups: Mapping[str, Mapping[str, str]]
    empty: frozenset[str]
    digest: Callable[[str, bytes], bytes]

    def readers(self, fields: Mapping[str, Any], mappings: Mapping[str, Any]) -> dict[str, FieldReader]:
        """A reader for each mapped field."""
        return {
            name: reader_of(fields[name], mapping, self.codes, self.lookups, (self.empty, self.digest))
            for name, mapping in mappings.items()
        }


def _read(readers: Mapping[str, FieldReader], cells: Mapping[str, Cell], where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, reader in readers.items():
        try:
            values[name] = reader(cells, values)
        except Rejected as refusal:
            raise Rejected(refusal.code, f"{where}{name}", refusal.rule) from None
    return values


def _needed(values: Mapping[str, Any], name: str) -> Any:
    value = values.get(name)
    if value is None:
        raise Rejected(RejectionCode.MISSING_FIELD, name, "must be there")
    return value


def _is_somebody(found: Mapping[str, Any]) -> bool:
    return any(found.get(name) is not None for name in ("bsn", "postcode", "birth_date", "surname"))


def _signal(values: dict[str, Any], moment: Millis) -> EarlySignal:
    subject = Subject(**{name: values.get(name) for name in SUBJECT})
    received_at = values.get("received_at")
    return EarlySignal(
        signal_id=_needed(values, "signal_id"),
        municipality=_needed(values, "municipality"),
        partner=Partner(_needed(values, "partner_id"), PartnerKind(_needed(values, "partner_kind"))),
        subject=subject,
        customer_reference=values.get("customer_reference"),
        arrears=_needed(values, "arrears"),
        arrears_since=values.get("arrears_since"),
        signalled_on=values.get("signalled_on"),
        received_at=moment if received_at is None else received_at,
        crisis=values.get("crisis") is True,
        warm_transfer=values.get("warm_transfer") is True,
        collection_effort_attested=values.get("collection_effort_attested") is True,
    )


def _state(
    values: dict[str, Any], clients: tuple[Subject, ...], services: tuple[CaseService, ...]
) -> CaseState:
    if not clients:
        raise Rejected(RejectionCode.MISSING_FIELD, "clients", "must have a client")
    exit_reason, solution = values.get("exit_reason"), values.get("solution")
    course = CaseCourse(
        applied_on=_needed(values, "applied_on"),
        admitted_on=values.get("admitted_on"),
        refused_on=values.get("refused_on"),
        exited_on=values.get("exited_on"),
        exit_reason=None if exit_reason is None else ExitReason(exit_reason),
        plan_on=values.get("plan_on"),
        stabilisation_on=values.get("stabilisation_on"),
        settlement_on=values.get("settlement_on"),
        solution_on=values.get("solution_on"),
        solution=None if solution is None else Solution(solution),
        monitoring=_span(values, "monitoring"),
        aftercare=_span(values, "aftercare"),
        services=services,
        counsellor=_counsellor(values),
        entrepreneur=values.get("entrepreneur"),
    )
    return CaseState(
        _needed(values, "municipality"),
        _needed(values, "trajectory_id"),
        clients,
        course,
        values.get("recorded_at"),
    )


def _event(values: dict[str, Any], clients: tuple[Subject, ...], moment: Millis) -> TrajectoryEvent:
    recorded_at = values.get("recorded_at")
    exit_reason, service, solution = (values.get(name) for name in ("exit_reason", "service", "solution"))
    return TrajectoryEvent(
        event_id=_needed(values, "event_id"),
        trajectory_id=_needed(values, "trajectory_id"),
        municipality=_needed(values, "municipality"),
        sequence=_needed(values, "sequence"),
        occurred_on=_needed(values, "occurred_on"),
        recorded_at=moment if recorded_at is None else recorded_at,
        kind=TrajectoryEventKind(_needed(values, "kind")),
        clients=clients,
        counsellor=_counsellor(values),
        exit_reason=None if exit_reason is None else ExitReason(exit_reason),
        service=None if service is None else Service(service),
        solution=None if solution is None else Solution(solution),
        entrepreneur=values.get("entrepreneur"),
    )


def _task_update(values: dict[str, Any]) -> TaskUpdate:
    channel, outcome = values.get("channel"), values.get("outcome")
    return TaskUpdate(
        update_id=_needed(values, "update_id"),
        task_id=_needed(values, "task_id"),
        occurred_at=_needed(values, "occurred_at"),
        kind=TaskUpdateKind(_needed(values, "kind")),
        trajectory_id=values.get("trajectory_id"),
        client=values.get("client"),
        channel=None if channel is None else ContactChannel(channel),
        reached=values.get("reached"),
        outcome=None if outcome is None else ContactOutcome(outcome),
        by=_needed(values, "by"),
        assignee=values.get("assignee"),
    )


def _span(values: Mapping[str, Any], name: str) -> CaseSpan | None:
    begin: date | None = values.get(f"{name}_begin")
    end: date | None = values.get(f"{name}_end")
    if begin is None:
        if end is not None:
            raise Rejected(RejectionCode.MISSING_FIELD, f"{name}_begin", "what ends must have begun")
        return None
    return CaseSpan(begin, end)


def _counsellor(values: Mapping[str, Any]) -> Counsellor | None:
    counsellor_id = values.get("counsellor_id")
    if counsellor_id is None:
        return None
    return Counsellor(counsellor_id, _needed(values, "team"))


def _items(repeat: str | None, cells: Mapping[str, Cell]) -> list[str]:
    """The prefixes of the items of a list in the export; one empty prefix where nothing repeats."""
    if repeat is None:
        return [""]
    item = re.compile(rf"{re.escape(repeat)}\.(\d{{1,4}})\.")
    numbers = {int(found[1]) for column in cells if (found := item.match(column))}
    if len(numbers) > _REPEATS_MAX:
        raise Rejected(RejectionCode.UNREADABLE, "services", f"must have at most {_REPEATS_MAX} items")
    return [f"{repeat}.{number}." for number in sorted(numbers)]


def _below(prefix: str, cells: Mapping[str, Cell]) -> dict[str, Cell]:
    return {column.removeprefix(prefix): cell for column, cell in cells.items() if column.startswith(prefix)}
