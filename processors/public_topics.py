"""The public topics as a reader of the contract sees them: who writes, under which key, as which kind of event.

In: nothing but the contract. Out: one table, from which the AsyncAPI document is made and records are checked. Source:
design 2; `tests/processors/test_public_topics.py` holds it against what intake, matcher and sink publish.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from signaalwissel.processors import emissions
from signaalwissel.processors.contract_topics import RECORD_ON
from signaalwissel.processors.feedback import FEEDBACK_TYPE
from signaalwissel.processors.published import SIGNAL_TYPE, TASK_UPDATE_TYPE, event_type
from signaalwissel.schemas.trajectory import TrajectoryEventKind

ROUTED_TYPE: Final = "nl.vroegsignalering.signaal-gerouteerd"
CORRECTED_TYPE: Final = "nl.vroegsignalering.routering-gecorrigeerd"
TASK_CHANGED_TYPE: Final = "nl.schuldhulpverlening.taak-gewijzigd"
NOTICE_TYPE: Final = "nl.schuldhulpverlening.kennisgeving-vastgelegd"
CONTENT_TYPE: Final = "application/avro"
LIFECYCLE_TYPES: Final = tuple(event_type(kind) for kind in TrajectoryEventKind)


class PublicTopic(NamedTuple):
    """One public topic, by its name without prefix and publisher.

    Attributes:
        name: The topic.
        written_by_others: Whether partners, case systems or task systems write it; the product reads it then.
        key: The fields that make its key, in words: `municipality/trajectory_id`.
        ce_id: What the CloudEvents id of a record is.
        types: The CloudEvents types that records on it may have.
        who: Who writes or reads it outside the product.
        text: What is on it.
        own: Whether a publisher may have one of its own, `signals.<publisher>`.
        only_own: Whether there is none but those of publishers.
    """

    name: str
    written_by_others: bool
    key: str
    ce_id: str
    types: tuple[str, ...]
    who: str
    text: str
    own: bool = False
    only_own: bool = False

    @property
    def address(self) -> str:
        """Its name; of one that only publishers have with their place in it."""
        return f"{self.name}.{{publisher}}" if self.only_own else self.name

    @property
    def record(self) -> str:
        """The name of its record's schema."""
        return RECORD_ON[self.name]


_SIGNAL_KEY = "municipality/partner_id/signal_id"
_TRAJECTORY_KEY = "municipality/trajectory_id"
_TASK_KEY = "task_id"

PUBLIC_TOPICS: Final = (
    PublicTopic(
        emissions.SIGNALS,
        written_by_others=True,
        key="partner_id/signal_id",
        ce_id="the sender's own; the gateway and `publish` use municipality/partner_id/signal_id/received_at",
        types=(SIGNAL_TYPE,),
        who="signal partners, early-signalling systems",
        text="Payment arrears of residents. The same signal again within 35 days counts once.",
        own=True,
    ),
    PublicTopic(
        emissions.TRAJECTORIES,
        written_by_others=True,
        key=_TRAJECTORY_KEY,
        ce_id="event_id",
        types=LIFECYCLE_TYPES,
        who="debt-help case systems",
        text="What happens in debt-help trajectories. Events may come late, twice and out of order.",
        own=True,
    ),
    PublicTopic(
        emissions.COUNSELLOR_FOLLOWUP,
        written_by_others=False,
        key=_TRAJECTORY_KEY,
        ce_id="routing_id",
        types=(ROUTED_TYPE,),
        who="debt-help systems",
        text="Signals that the counsellor who knows the resident takes up.",
    ),
    PublicTopic(
        emissions.REGULAR_FLOW,
        written_by_others=False,
        key=_SIGNAL_KEY,
        ce_id="routing_id",
        types=(ROUTED_TYPE,),
        who="early-signalling systems",
        text="Signals that take the regular route; why is not told here.",
    ),
    PublicTopic(
        emissions.COUNSELLOR_CORRECTIONS,
        written_by_others=False,
        key=_TRAJECTORY_KEY,
        ce_id="correction_id",
        types=(CORRECTED_TYPE,),
        who="debt-help systems",
        text="What a later fact changed, for the counsellor's side.",
    ),
    PublicTopic(
        emissions.REGULAR_CORRECTIONS,
        written_by_others=False,
        key=_SIGNAL_KEY,
        ce_id="correction_id",
        types=(CORRECTED_TYPE,),
        who="early-signalling systems",
        text="What a later fact changed, for the regular side.",
    ),
    PublicTopic(
        emissions.TASK_UPDATES,
        written_by_others=True,
        key=_TASK_KEY,
        ce_id="update_id",
        types=(TASK_UPDATE_TYPE,),
        who="task systems",
        text="What people did about their tasks. The same update_id counts once.",
    ),
    PublicTopic(
        emissions.TASKS,
        written_by_others=False,
        key=_TASK_KEY,
        ce_id="task_id:version",
        types=(TASK_CHANGED_TYPE,),
        who="task systems",
        text="Every version of every follow-up task.",
    ),
    PublicTopic(
        emissions.NOTICES,
        written_by_others=False,
        key="notice_id",
        ce_id="notice_id:version",
        types=(NOTICE_TYPE,),
        who="systems that inform residents and partners",
        text="What must be told or was told: information duties, objections, feedback, destruction.",
    ),
    PublicTopic(
        emissions.FEEDBACK,
        written_by_others=False,
        key=_SIGNAL_KEY,
        ce_id="notice_id",
        types=(FEEDBACK_TYPE,),
        who="the signal partner whose topic it is",
        text="What became of a partner's own signals, as far as the municipality's policy lets him know.",
        own=True,
        only_own=True,
    ),
)
"""Every public topic, in the order of RECORD_ON."""


def key_of(topic: str, value: Mapping[str, Any]) -> str:
    """The key that the contract prescribes for a record in its JSON form, on a topic without prefix.

    Raises KeyError where a field that makes the key is not there: a correction may leave its trajectory unsaid.
    """
    kind = topic.partition(".")[0]
    named = next(one for one in PUBLIC_TOPICS if one.name == kind)
    flat = {**value, "partner_id": value.get("partner", value).get("partner_id")}
    return "/".join(str(flat[field]) for field in named.key.split("/"))


def event_types_of(topic: str, value: Mapping[str, Any]) -> tuple[str, ...]:
    """The CloudEvents types that a record in its JSON form may have, on a topic without prefix."""
    kind = topic.partition(".")[0]
    if kind == emissions.TRAJECTORIES:
        return (event_type(TrajectoryEventKind(value["kind"])),)
    return next(one for one in PUBLIC_TOPICS if one.name == kind).types


@cache
def examples() -> Mapping[str, list[dict[str, Any]]]:
    """Records of every public topic in their JSON form; all of residents who do not exist."""
    text = (resources.files("signaalwissel.schemas") / "examples.json").read_text("utf-8")
    found: dict[str, list[dict[str, Any]]] = json.loads(text)
    return found
