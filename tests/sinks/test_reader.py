"""What the sink makes sure of before it reads: topics that the broker keeps as they must be; and a broker that goes."""

from contextlib import closing

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaConnectionError
from signaalwissel.sinks.inbox import Inbox
from signaalwissel.sinks.reader import LogReader, check_settings
from signaalwissel.sinks.settings import TASK_UPDATES, ServiceAway, SinkError

from tests.sinks.sink_support import SinkBench, seal, until


def test_a_topic_whose_time_the_publisher_sets_is_refused_with_the_command_that_mends_it(
    bench: SinkBench,
) -> None:
    check_settings(bench.settings)
    topic = bench.settings.topic(TASK_UPDATES)
    admin = KafkaAdminClient(bootstrap_servers=bench.settings.bootstrap)
    changed = {"message.timestamp.type": "CreateTime"}
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, changed)])
    admin.close()
    told: list[str] = []

    def refused() -> bool:
        # A broker takes a moment until it keeps to what it was told.
        try:
            check_settings(bench.settings)
        except SinkError as error:
            told.append(str(error))
        return bool(told)

    until(refused, "a refusal")
    assert told[0] == (
        f"{topic} has message.timestamp.type=CreateTime, which must be LogAppendTime: mend it with "
        "`signaalwissel topics apply`, then start again"
    )


def test_settings_that_the_broker_does_not_tell_are_no_settings_to_mend(bench: SinkBench) -> None:
    # For a topic that is not there it answers as for one that this account may not describe: with an error, no value.
    with pytest.raises(
        SinkError, match=r"does not tell the settings of .*gone-task-updates.* DescribeConfigs"
    ) as refused:
        check_settings(bench.settings_with(topic_prefix="gone-"))
    assert "None" not in str(refused.value)


def test_a_broker_that_goes_while_the_position_is_asked_for_is_away_and_no_bug(
    bench: SinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise KafkaConnectionError("socket disconnected")

    with closing(LogReader(bench.settings)) as reader:
        reader.assign()
        reader.begin(dict.fromkeys(reader.places, 0))
        monkeypatch.setattr(reader._consumer, "position", lost)
        with pytest.raises(ServiceAway, match="socket disconnected"):
            reader.gather(Inbox(bench.settings, seal))
