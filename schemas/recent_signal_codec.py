"""RecentSignal by hand: the matcher writes one for every signal.

The signal lies in it as intake sent it; only what the matcher adds is encoded.
"""

from typing import Final

from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.internal import RecentSignal
from signaalwissel.schemas.primitives import (
    BROKEN,
    FALSE,
    NULL,
    SOME,
    TRUE,
    array,
    binary,
    long,
    moment,
    optional_string,
    read_array,
    read_binary,
    read_boolean,
    read_int,
    read_is_some,
    read_moment,
    read_optional_string,
    read_string,
    read_symbol,
    string,
)
from signaalwissel.schemas.routing import Candidate, Route
from signaalwissel.schemas.wire_format import HEADER_SIZE, schema_id_of

_ROUTES: Final = tuple(Route)
_ROUTE: Final = {member: long(index) for index, member in enumerate(_ROUTES)}
_NOBODY_SAID_ANYTHING: Final = NULL * 3
"""No confirmed candidate, no refuted ones, no commands."""


def write_recent_signal(recent: RecentSignal) -> bytes:
    """A RecentSignal in wire format."""
    said = _NOBODY_SAID_ANYTHING
    if recent.confirmed is not None or recent.refuted or recent.commands:
        said = _said(recent)
    return b"".join(
        (
            codec("RecentSignal").header,
            binary(recent.match_key),
            moment(recent.written_at),
            long(recent.revision),
            string(recent.policy_version),
            _ROUTE[recent.route],
            optional_string(recent.trajectory_id),
            TRUE if recent.address_only else FALSE,
            TRUE if recent.regular_holds else FALSE,
            TRUE if recent.offered else FALSE,
            said,
            binary(recent.signal),
        )
    )


def read_recent_signal(data: bytes) -> RecentSignal:
    """A RecentSignal in wire format; raises NotWireFormat, UnknownSchemaId or DoesNotFit."""
    generic: Codec[RecentSignal] = codec("RecentSignal")
    return generic.decode_by_hand(data, _read)


def read_recent_head(data: bytes) -> tuple[bytes, str]:
    """The match key and the policy version of a RecentSignal, without the rest; raises as its reader."""
    if schema_id_of(data) == codec("RecentSignal").schema_id:
        try:
            return _read_head(data)
        except BROKEN:
            pass
    whole = read_recent_signal(data)
    return whole.match_key, whole.policy_version


def _read_head(data: bytes) -> tuple[bytes, str]:
    match_key, at = read_binary(data, HEADER_SIZE)
    _, at = read_moment(data, at)
    _, at = read_int(data, at)
    version, _ = read_string(data, at)
    return match_key, version


def _said(recent: RecentSignal) -> bytes:
    confirmed = NULL if recent.confirmed is None else SOME + _candidate(recent.confirmed)
    refuted = [_candidate(candidate) for candidate in recent.refuted]
    commands = [string(command) for command in recent.commands]
    return confirmed + array(refuted) + array(commands)


def _candidate(candidate: Candidate) -> bytes:
    return string(candidate.trajectory_id) + long(candidate.client)


def _read(data: bytes, at: int) -> tuple[RecentSignal, int]:
    match_key, at = read_binary(data, at)
    written_at, at = read_moment(data, at)
    revision, at = read_int(data, at)
    policy_version, at = read_string(data, at)
    route, at = read_symbol(data, at, _ROUTES)
    trajectory_id, at = read_optional_string(data, at)
    address_only, at = read_boolean(data, at)
    regular_holds, at = read_boolean(data, at)
    offered, at = read_boolean(data, at)
    confirmed: Candidate | None = None
    if read_is_some(data, at):
        confirmed, at = read_candidate(data, at + 1)
    else:
        at += 1
    refuted, at = read_array(data, at, read_candidate)
    commands, at = read_array(data, at, read_string)
    signal, at = read_binary(data, at)
    recent = RecentSignal(
        match_key,
        written_at,
        revision,
        policy_version,
        route,
        trajectory_id,
        address_only,
        regular_holds,
        offered,
        confirmed,
        refuted,
        commands,
        signal,
    )
    return recent, at


def read_candidate(data: bytes, at: int) -> tuple[Candidate, int]:
    """A Candidate at `at`, and the position after it."""
    trajectory_id, at = read_string(data, at)
    client, at = read_int(data, at)
    return Candidate(trajectory_id, client), at
