"""What the broker must keep to for a topic that we read, whoever made it (design 2).

In: the settings that a broker has for topics. Out: what is otherwise than it must be, in words for whoever mends it.
"""

from collections.abc import Mapping

STAMPED_BY_BROKER = {"message.timestamp.type": "LogAppendTime"}
"""The clock of housekeeping is Kafka's: with a publisher's own timestamps one record dated 2099 would sweep all state."""

UNCOMPRESSED = {"compression.type": "uncompressed"}
"""The broker unpacks what a publisher compressed, with whatever codec: we need none, and no batch grows in our memory."""

ALWAYS = STAMPED_BY_BROKER | UNCOMPRESSED
SIZE = "max.message.bytes"


def unmet_settings(
    found: Mapping[str, Mapping[str, str | None]], wanted: Mapping[str, Mapping[str, str]]
) -> str | None:
    """What is otherwise than it must be, with the command that mends it; None where nothing is.

    Args:
        found: Per topic what the broker has; nothing where it does not tell.
        wanted: Per topic what it must have; a size is an upper bound, everything else is exact.
    """
    untold = [topic for topic in wanted if not found.get(topic)]
    if untold:
        return (
            f"the broker does not tell the settings of {', '.join(untold)}: give this program's account the right "
            "DescribeConfigs on its topics, then start again"
        )
    faults = [
        f"{topic} has {_told(key, found[topic].get(key))}, which must be {value}{' or less' if key == SIZE else ''}"
        for topic, settings in wanted.items()
        for key, value in settings.items()
        if not _met(key, found[topic].get(key), value)
    ]
    if not faults:
        return None
    return f"{'; '.join(faults)}: mend it with `signaalwissel topics apply`, then start again"


def _told(key: str, given: str | None) -> str:
    return f"no {key}" if given is None else f"{key}={given}"


def _met(key: str, given: str | None, value: str) -> bool:
    if key == SIZE:
        return given is not None and given.isdecimal() and int(given) <= int(value)
    return given == value
