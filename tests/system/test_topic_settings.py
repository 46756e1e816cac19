"""Worker and sink do not start on a topic that the broker does not keep as it must, and say what mends it."""

from collections.abc import Callable

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from signaalwissel.console.topics import admin

from tests.system.installation import Installation
from tests.system.lines import signal

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    ("command", "topic", "status"),
    [("worker", "signals", 3), ("sink", "decisions", 1)],
    ids=["worker", "sink"],
)
def test_a_topic_whose_time_the_publisher_sets_stops_the_start_until_topics_apply(
    install: Callable[..., Installation], command: str, topic: str, status: int
) -> None:
    product = install(partitions=1)
    name = product.prefix + topic
    with admin(product.settings) as client:
        changed = {"message.timestamp.type": "CreateTime"}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, changed)])
    assert product.start(command).wait(90) == status, product.logs()
    told = product.logs()
    assert f"{name} has message.timestamp.type=CreateTime, which must be LogAppendTime" in told
    assert "mend it with `signaalwissel topics apply`, then start again" in told

    assert product.start("topics", "apply").wait(60) == 0, product.logs()
    started = [product.start("worker"), product.start("sink")]
    product.publish([signal("s1", "2026-02-10")])
    product.settle(sink=True)
    assert [made.signal_id for made in product.decisions()] == ["s1"]
    assert [process.poll() for process in started] == [None, None]
