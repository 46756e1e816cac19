"""Publishers: for which municipalities and partners an input topic may speak, and a feedback topic may hear (design 2).

A Kafka consumer cannot see who wrote a record, but the broker lets a publisher write its own topic only; so the
topic says who speaks. In: a TOML file. Out: one answer per record.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from signaalwissel.processors.emissions import FEEDBACK
from signaalwissel.processors.rejection import Rejected, RejectionCode


class PublishersError(ValueError):
    """The publishers file cannot be used: names file, topic and key."""


class Publisher(BaseModel):
    """What one input topic may speak for, or a feedback topic may hear of; None is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    municipalities: frozenset[str] | None = None
    partners: frozenset[str] | None = None


class Publishers:
    """The allow-list of every input topic.

    Args:
        by_topic: Topic name without prefix to what it may speak for. A topic that is not in it may speak for all.
    """

    def __init__(self, by_topic: Mapping[str, Publisher] | None = None) -> None:
        self._by_topic = dict(by_topic or {})

    def topics(self) -> tuple[str, ...]:
        """The topics that the file names, each of one publisher."""
        return tuple(sorted(self._by_topic))

    def of(self, topic: str) -> Publisher | None:
        """What the file says of a topic, None where it does not name it."""
        return self._by_topic.get(topic)

    def check(self, topic: str, municipality: str, partner_id: str | None = None) -> None:
        """Refuse a record that speaks for somebody else; raises Rejected."""
        publisher = self._by_topic.get(topic)
        if publisher is None:
            return
        if publisher.municipalities is not None and municipality not in publisher.municipalities:
            raise _not_allowed("municipality", "this topic's publisher may not speak for this municipality")
        if partner_id is not None and publisher.partners is not None and partner_id not in publisher.partners:
            raise _not_allowed("partner.partner_id", "this topic's publisher may not speak for this partner")


def load_publishers(file: Path) -> Publishers:
    """Read a publishers file: a table per topic, with `municipalities` and `partners`.

    Raises:
        PublishersError: The file is no TOML, or a table holds something else.
    """
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PublishersError(f"{file}: cannot be read as TOML: {error}") from error
    by_topic = {}
    for topic, table in content.items():
        try:
            by_topic[topic] = Publisher.model_validate(table)
        except ValidationError as error:
            findings = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise PublishersError(f'{file}: ["{topic}"]: {findings}') from error
        if topic.startswith(f"{FEEDBACK}.") and by_topic[topic].partners is None:
            # Whoever reads the topic learns what is on it: no limit would be everybody's signals.
            raise PublishersError(f'{file}: ["{topic}"]: partners must name whose signals it may hear of')
    return Publishers(by_topic)


def _not_allowed(field: str, rule: str) -> Rejected:
    return Rejected(RejectionCode.PUBLISHER_NOT_ALLOWED, field, rule)
