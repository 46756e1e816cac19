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
TOMBSTONES = "delete.retention.ms"
TOMBSTONES_KEPT_S = 24 * 60 * 60
"""How long a changelog at least tells that an entry was removed, to whoever reads on from where it stopped."""

CHANGELOG = {"cleanup.policy": "compact", TOMBSTONES: str(TOMBSTONES_KEPT_S * 1000)}
"""A changelog whose old records are deleted is a table that forgets."""

_AT_MOST = {SIZE: " or less"}
_AT_LEAST = {TOMBSTONES: " or more"}


def unmet_settings(
    found: Mapping[str, Mapping[str, str | None]], wanted: Mapping[str, Mapping[str, str]]
) -> str | None:
    """What is otherwise than it must be, with the command that mends it; None where nothing is.

    Args:
        found: Per topic what the broker has; nothing where it does not tell.
        wanted: Per topic what it must have; a size is an upper bound, a time that tombstones are kept a lower one,
            everything else is exact.
    """
    untold = [topic for topic in wanted if not found.get(topic)]
    if untold:
        return (
            f"the broker does not tell the settings of {', '.join(untold)}: give this program's account the right "
            "DescribeConfigs on its topics, then start again"
        )
    faults = [
        f"{topic} has {_told(key, found[topic].get(key))}, which must be {value}{_bound(key)}"
        for topic, settings in wanted.items()
        for key, value in settings.items()
        if not _met(key, found[topic].get(key), value)
    ]
    if not faults:
        return None
    return f"{'; '.join(faults)}: mend it with `signaalwissel topics apply`, then start again"


def _told(key: str, given: str | None) -> str:
    return f"no {key}" if given is None else f"{key}={given}"


def _bound(key: str) -> str:
    return _AT_MOST.get(key) or _AT_LEAST.get(key, "")


def _met(key: str, given: str | None, value: str) -> bool:
    if not _bound(key):
        return given == value
    if given is None or not given.isdecimal():
        return False
    return int(given) <= int(value) if key in _AT_MOST else int(given) >= int(value)
