"""The request for topics' ids: in the version that the broker speaks."""

from __future__ import annotations

import pytest
from signaalwissel.streams.topic_ids import _TopicIds


@pytest.mark.parametrize(("newest", "asked"), [(5, 5), (8, 5), (11, 5), (12, 12), (13, 12)])
def test_a_broker_that_cannot_tell_ids_is_asked_without_and_makes_no_topic(newest: int, asked: int) -> None:
    request = _TopicIds(["a"]).prepare({3: (0, newest)})
    assert (request.API_VERSION, request.to_object()["allow_auto_topic_creation"]) == (asked, False)
