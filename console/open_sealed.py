"""`open-sealed`: who a record of a routing topic is about, for whoever must call or verify."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from signaalwissel.console import environment, key_service, runtime
from signaalwissel.console.accounting import Accounting, Done
from signaalwissel.console.failures import CommandFailure, Exit, ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.registry_ids import adopt
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.opening import Opening, open_subject
from signaalwissel.processors.processing_lines import subject_of_signal, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.processors.sealing import KeyDestroyed, KeyUnavailable, SealBroken
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.routing import Decision, RouteCorrection, RoutedSignal
from signaalwissel.sinks.ledger import EventKind

log = logging.getLogger(__name__)

_RECORDS = ("RoutedSignal", "RouteCorrection", "Decision")


class CannotOpen(CommandFailure):
    """The record is not to be opened by anybody, or not by these keys."""

    exit_code = Exit.FINDINGS


def open_sealed(
    file: Annotated[Path, typer.Argument(help="One record's value as Kafka has it; - reads standard input.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As it does without.")] = True,
) -> None:
    """Print the resident of one RoutedSignal, RouteCorrection or Decision as a line of JSON.

    Needs the day key of that municipality and day, which the key provider gives to whoever may have it. Every opening
    is a line in the processing log and in the audit trail first: no acknowledgement, no opening.

    Example: signaalwissel open-sealed record.bin
    """
    settings = environment.settings()
    runtime.log_to("open-sealed")
    adopt(settings)
    record = _record(file)
    keys = key_service.provider(settings)
    accounting = Accounting(settings)
    try:
        subject = open_subject(record, keys.by_id, lambda opening: _account(opening, record, accounting))
    except KeyDestroyed as error:
        raise CannotOpen(f"{record.routing_id}: {error}") from error
    except KeyUnavailable as error:
        raise ServiceAway(f"{record.routing_id}: {error}") from error
    except SealBroken as error:
        raise CannotOpen(f"{record.routing_id}: {error}; are these the keys of this installation?") from error
    print(dump(codec("SealedSubject").to_json(subject)))


def _record(file: Path) -> RoutedSignal | Decision:
    try:
        value = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be read: {error.strerror}") from error
    for name in _RECORDS:
        try:
            record: RoutedSignal | RouteCorrection | Decision = codec(name).decode(value)
        except UnknownSchemaId:
            continue
        except (NotWireFormat, DoesNotFit) as error:
            raise UsageFailure(f"{file}: {error}") from error
        if not isinstance(record, RouteCorrection):
            return record
        if record.to is None:
            raise CannotOpen(f"{record.correction_id}: it withdraws a signal and names nobody")
        return record.to
    raise UsageFailure(f"{file}: is none of {', '.join(_RECORDS)}; give the value as it came from Kafka")


def _account(opening: Opening, record: RoutedSignal | Decision, accounting: Accounting) -> None:
    log.info(
        "the sealed subject of %s in municipality %s is opened under key %s",
        opening.routing_id,
        opening.municipality,
        opening.key_id,
    )
    ref = signal_ref(record.municipality, record.partner.partner_id, record.signal_id, record.received_at)
    accounting.account(
        Done(
            Purpose.SEALED_OPENED,
            EventKind.SEALED_OPENED,
            about=opening.routing_id,
            municipality=opening.municipality,
            trace_id=trace_from(ref.hex()),
            subject=subject_of_signal(ref),
        )
    )
