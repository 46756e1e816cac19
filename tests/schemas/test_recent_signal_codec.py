"""RecentSignal by hand against the generic codec and fastavro."""

import pytest
from hypothesis import given
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit, UnknownSchemaId
from signaalwissel.schemas.internal import RecentSignal
from signaalwissel.schemas.recent_signal_codec import (
    read_recent_head,
    read_recent_signal,
    write_recent_signal,
)
from signaalwissel.schemas.routing import Candidate

from tests.schemas import golden
from tests.schemas.strategies import EXAMPLES, fastavro_bytes, records

FULL: RecentSignal = codec("RecentSignal").from_json(golden.full_json("RecentSignal"))
SILENT = FULL._replace(confirmed=None, refuted=(), commands=())


@given(records("RecentSignal"))
@EXAMPLES
def test_it_is_written_and_read_as_by_fastavro(recent: RecentSignal) -> None:
    data = write_recent_signal(recent)
    assert data == fastavro_bytes("RecentSignal", recent)
    assert read_recent_signal(data) == recent
    assert read_recent_head(data) == (recent.match_key, recent.policy_version)


@pytest.mark.parametrize(
    "recent",
    [
        pytest.param(SILENT, id="nobody said anything"),
        pytest.param(SILENT._replace(confirmed=Candidate("T", 0)), id="only confirmed"),
        pytest.param(SILENT._replace(refuted=(Candidate("T", 1),)), id="only refuted"),
        pytest.param(SILENT._replace(commands=("c",)), id="only a command"),
        pytest.param(FULL, id="all"),
    ],
)
def test_what_people_said_about_it_is_kept(recent: RecentSignal) -> None:
    assert write_recent_signal(recent) == codec("RecentSignal").encode(recent)
    assert read_recent_signal(write_recent_signal(recent)) == recent


def test_one_that_ends_too_early_or_goes_on_is_refused() -> None:
    data = write_recent_signal(FULL)
    with pytest.raises(DoesNotFit, match="signal: is cut off"):
        read_recent_signal(data[:-1])
    with pytest.raises(DoesNotFit, match="goes on for 1 bytes"):
        read_recent_signal(data + b"\x00")


def test_a_head_that_is_cut_off_is_refused_with_its_field() -> None:
    data = write_recent_signal(FULL)
    with pytest.raises(DoesNotFit, match="match_key: is cut off"):
        read_recent_head(data[:10])


def test_another_record_is_refused_by_its_id() -> None:
    with pytest.raises(UnknownSchemaId):
        read_recent_signal(b"\x00\x00\x00\x00\x01rest")
    with pytest.raises(UnknownSchemaId):
        read_recent_head(b"\x00\x00\x00\x00\x01rest")
