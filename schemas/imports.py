"""What the importer keeps of what it published: row digests of files, and the last state of each trajectory.

Both are internal. A row is a keyed digest, a client is keyed hashes: no person stands here in the clear.
"""

from datetime import date
from typing import NamedTuple

from signaalwissel.schemas.internal import ClientPseudonym
from signaalwissel.schemas.trajectory import Counsellor, ExitReason, Service, Solution


class ImportedRows(NamedTuple):
    """On `import-ledger`: rows of one file that were published, or that its end was reached (`complete`)."""

    system: str
    file: str
    complete: bool
    rows: tuple[bytes, ...] = ()


class CaseSpan(NamedTuple):
    """Something that a case system says lasted; `end` is None while it does."""

    begin: date
    end: date | None = None


class CaseService(NamedTuple):
    """One stretch of a service (begeleiding)."""

    service: Service
    span: CaseSpan


class CaseCourse(NamedTuple):
    """The course of a trajectory as a case system exports it: dates and choices, without the clients."""

    applied_on: date
    admitted_on: date | None = None
    refused_on: date | None = None
    exited_on: date | None = None
    exit_reason: ExitReason | None = None
    plan_on: date | None = None
    stabilisation_on: date | None = None
    settlement_on: date | None = None
    solution_on: date | None = None
    solution: Solution | None = None
    monitoring: CaseSpan | None = None
    aftercare: CaseSpan | None = None
    services: tuple[CaseService, ...] = ()
    counsellor: Counsellor | None = None
    entrepreneur: bool | None = None


class ImportedState(NamedTuple):
    """On `import-states`: what was told of a trajectory so far.

    Attributes:
        withdrawn: It had vanished from a complete export.
        next_sequence: The sequence of the next event.
        begun_again: An exit was taken back, so the first period of running is void.
        clients_changed: The clients were told anew since the application.
        clients: The clients by position, as keyed hashes.
        course: What was told.
    """

    system: str
    municipality: str
    trajectory_id: str
    withdrawn: bool
    next_sequence: int
    begun_again: bool
    clients_changed: bool
    clients: tuple[ClientPseudonym, ...]
    course: CaseCourse
