"""Table values carry the Kafka time of their last write."""

import pytest
from signaalwissel.processors.stamped import record_in, stamp, written_at


@pytest.mark.parametrize("moment", [0, 1, 1_772_000_000_000])
def test_record_and_time_come_back(moment: int) -> None:
    value = stamp(b"record", moment)
    assert (record_in(value), written_at(value)) == (b"record", moment)


def test_a_time_before_1970_reads_as_the_first_moment() -> None:
    assert written_at(stamp(b"", -1)) == 0
