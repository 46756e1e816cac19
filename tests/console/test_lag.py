"""How much is left to read, asked of a broker that does not know yet who keeps a group's offsets."""

import pytest
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    KafkaError,
    NotCoordinatorError,
)
from signaalwissel.console import topics
from signaalwissel.console.failures import ServiceAway
from signaalwissel.console.lag import committed_offsets
from signaalwissel.console.settings import Settings

SETTINGS = Settings(kafka_bootstrap="127.0.0.1:9")


class Broker:
    """Answers a client's first question with an error, and its next one."""

    def __init__(self, error: type[KafkaError]) -> None:
        self.refusals = [error]

    def __call__(self, **_settings: object) -> "Broker":
        return self

    def list_group_offsets(self, groups: list[str]) -> dict[str, dict[object, object]]:
        if self.refusals:
            raise self.refusals.pop()
        return {group: {} for group in groups}

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "error", [CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError]
)
def test_a_broker_that_is_finding_a_groups_coordinator_is_asked_again(
    error: type[KafkaError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "KafkaAdminClient", Broker(error))
    assert committed_offsets(SETTINGS, ["group"]) == {"group": {}}


def test_a_broker_that_refuses_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "KafkaAdminClient", Broker(GroupAuthorizationFailedError))
    with pytest.raises(ServiceAway):
        committed_offsets(SETTINGS, ["group"])
