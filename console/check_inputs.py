"""What `check` asks about: JSON lines, or the rows of a signal system's export, read by its profile.

Flows in: a file. Flows out: for each line or row a signal, or why it is none; a file that cannot be read on ends with
that as its last finding.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import Line, reading
from signaalwissel.console.progress import progress_of
from signaalwissel.processors.dead_letters import About, what_may_be_shown
from signaalwissel.processors.emissions import SIGNALS
from signaalwissel.processors.followup_updates import UpdateRefused
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.simulation_lines import Refused, about_of, checked, kind_of
from signaalwissel.processors.validation import check_municipality, check_published, check_signal
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.units import Millis
from signaalwissel.sources.mapping import Mapper
from signaalwissel.sources.profile_fields import RecordKind
from signaalwissel.sources.profile_loading import Loaded, ProfileError, load_profile
from signaalwissel.sources.readers import read_rows
from signaalwissel.sources.row_import import check_known, digest_by
from signaalwissel.sources.rows import FileUnreadable, Row


class Item(NamedTuple):
    """A line or row, by its number from 1: what is asked, or why nothing can be; None for the number of a whole file."""

    number: int | None
    signal: EarlySignal | Refused
    columns: tuple[str, ...] = ()


class Rules(NamedTuple):
    """By what rows become signals.

    Attributes:
        policies: Those of the installation.
        keys: For ids that are derived from a row.
        municipality: Stands in for the profile's constant.
        moment: When rows came in that do not say.
    """

    policies: Policies
    keys: KeyProvider
    municipality: str | None
    moment: Millis


def signals_profile(system: str, municipality: str | None) -> Loaded:
    """A profile whose rows are signals; UsageFailure for any other."""
    try:
        loaded = load_profile(system)
    except ProfileError as error:
        raise UsageFailure(str(error)) from error
    profile = loaded.profile
    if profile.record is not RecordKind.SIGNAL:
        raise UsageFailure(f"{system}: its rows are no signals, so there is nothing to check")
    mapping = profile.map.get("municipality")
    if municipality is not None and (mapping is None or mapping.constant is None):
        raise UsageFailure(
            f"--municipality: the profile {profile.name} reads it from the export; map a constant to give it here"
        )
    return loaded


def items_of_lines(file: Path, policies: Policies, *, quiet: bool) -> Iterator[Item]:
    """The lines of a file; raises UsageFailure where one is no JSON or no signal's."""
    with reading(file) as lines, progress_of(file, quiet=quiet) as advance:
        for line in lines:
            advance()
            yield Item(line.number, _of_line(file, line, policies))


def items_of_rows(file: Path, loaded: Loaded, rules: Rules) -> Iterator[Item]:
    """The rows of an export; raises UsageFailure where it cannot be opened."""
    read = _reader(loaded, rules)
    if not file.is_file():
        raise UsageFailure(f"{file}: there is no such file")
    try:
        for row in read_rows(file, loaded.profile):
            try:
                yield Item(row.number, read(row))
            except Rejected as refusal:
                yield Item(row.number, Refused(SIGNALS, About(), refusal), _columns(loaded, refusal))
    except FileUnreadable as error:
        broken = Rejected(RejectionCode.UNREADABLE, None, error.rule)
        yield Item(error.row, Refused(SIGNALS, About(), broken))
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be read: {error.strerror}") from error


def _of_line(file: Path, line: Line, policies: Policies) -> EarlySignal | Refused:
    topic, value = line.content["topic"], line.content.get("value")
    if kind_of(topic) != SIGNALS:
        raise UsageFailure(f"{file}:{line.number}: {topic} is checked by nobody: give lines of {SIGNALS}")
    code = value.get("municipality") if isinstance(value, dict) else None
    if isinstance(code, str) and policies.get(code) is None:
        rule = "the municipality has no policy or no keys here"
        unknown = Rejected(RejectionCode.UNKNOWN_MUNICIPALITY, "municipality", rule)
        return Refused(topic, about_of(topic, value), unknown)
    try:
        record: Any = checked(topic, value, policies)
    except (Rejected, UpdateRefused) as refusal:
        return Refused(topic, about_of(topic, value), refusal)
    assert isinstance(record, EarlySignal)  # noqa: S101 its topic says so
    return record


def _reader(loaded: Loaded, rules: Rules) -> Callable[[Row], EarlySignal | Refused]:
    """What makes a row a signal, by the rules by which `import` would send it; raises Rejected where it is none."""
    derived = digest_by(loaded.profile.name, rules.policies, rules.keys)
    mapper = Mapper(loaded, rules.municipality, derived)

    def read(row: Row) -> EarlySignal | Refused:
        if row.refusal is not None:
            raise row.refusal
        try:
            signal: Any = mapper.record(row, rules.moment).record
        except DoesNotFit as error:
            raise Rejected(RejectionCode.UNREADABLE, error.field or None, error.rule) from None
        assert isinstance(signal, EarlySignal)  # noqa: S101 its profile says so
        try:
            check_municipality(signal.municipality)
            check_known(signal.municipality, rules.policies, rules.keys)
            check_signal(signal, rules.policies[signal.municipality])
            check_published(signal.received_at, rules.moment, "received_at")
        except Rejected as refusal:
            return Refused(SIGNALS, what_may_be_shown(signal.municipality, signal.signal_id), refusal)
        return signal

    return read


def _columns(loaded: Loaded, refusal: Rejected) -> tuple[str, ...]:
    mapping = None if refusal.field is None else loaded.profile.mapping_at(refusal.field)
    return () if mapping is None else tuple(mapping.columns())
