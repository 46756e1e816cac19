"""What `topics plan` says of a broker that does not say everything."""

from typing import Any

from signaalwissel.console.topics import differences
from signaalwissel.processors.topic_settings import ALWAYS
from signaalwissel.streams.topics import Topic


class Silent:
    """A broker that lets this account see topics and not their settings, as kafka-python tells it."""

    def describe_topics(self) -> list[dict[str, Any]]:
        return [{"name": "signals", "partitions": [0]}]

    def describe_configs(self, *_: object, **__: object) -> dict[str, dict[str, Any]]:
        return {"topic": {"signals": {}}}


def test_settings_that_the_broker_does_not_tell_are_a_matter_of_rights_and_not_mended() -> None:
    wanted = [Topic("signals", 1, ALWAYS), Topic("tasks", 1, ALWAYS)]
    untold, missing = sorted(differences(Silent(), wanted))
    assert (untold.topic, untold.mendable) == ("signals", False)
    assert "DescribeConfigs" in untold.what
    assert (missing.topic, missing.what, missing.mendable) == ("tasks", "is missing", True)
