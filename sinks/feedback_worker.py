"""Feedback to partners, each in the channel that the policy gives him (domain 8.17).

Flows in: notices that wait for their partner. Flows out: requests, files and records on partners' own topics, once each
where the partner keeps to the id; a message is marked as sent after he has it. A partner who does not answer holds up
nobody: he is left alone for a while. Nothing that a partner does or fails to do ends the sink.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from signaalwissel.processors.feedback import message_of
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.policy_sections import PartnerChannel
from signaalwissel.processors.rejection import Rejected
from signaalwissel.sinks import feedback_store as store
from signaalwissel.sinks.circuit import Circuit
from signaalwissel.sinks.elected_thread import ElectedThread, Role, Work
from signaalwissel.sinks.feedback_channels import NotDelivered, Webhook, put_file
from signaalwissel.sinks.feedback_settings import FeedbackSettings
from signaalwissel.sinks.feedback_store import Addressee, Due
from signaalwissel.sinks.feedback_topics import PartnerTopics, topic_of
from signaalwissel.sinks.settings import SinkSettings
from sqlalchemy import Connection

log = logging.getLogger(__name__)

_MOST = 100
_LOOK_S = 1.0
_DOUBLINGS_MAX = 12
_ROLE = Role(
    "feedback",
    "the feedback to partners",
    lock=7_223_011,
    idle_s=_LOOK_S,
    # Longer than one request. Ended in the middle, the next start sends it again, with the same id.
    stop_bound_s=15.0,
    silence_s=120.0,
)


class _Ways(NamedTuple):
    """What stays open as long as a session lasts."""

    webhook: Webhook
    topics: PartnerTopics


class FeedbackDelivery(ElectedThread):
    """Tells partners until it is stopped, then ends after the message that is under way.

    Its `failure` is never one of a partner.

    Args:
        settings: Of the sink.
        feedback: Of the channels.
        policies: Say which partner has which channel.
    """

    def __init__(self, settings: SinkSettings, feedback: FeedbackSettings, policies: Policies) -> None:
        super().__init__(settings, _ROLE)
        self._feedback = feedback
        self._policies = policies
        self._circuits: dict[Addressee, Circuit] = {}

    @contextmanager
    def _working(self) -> Iterator[Work]:
        with Webhook(self._feedback) as webhook, PartnerTopics(self._settings) as topics:
            ways = _Ways(webhook, topics)
            yield lambda connection: 0.0 if self._look(connection, ways) else self._role.idle_s

    def _look(self, connection: Connection, ways: _Ways) -> int:
        """Send what is due; how many were tried."""
        left_alone = [whose for whose, circuit in self._circuits.items() if circuit.pause_s > 0]
        found = store.due(connection, left_alone, _MOST)
        connection.rollback()
        tried = 0
        for item in found:
            if self._stopped.is_set():
                break
            # It may have opened since: of a partner who does not answer the rest waits.
            if self._circuit_of(item).pause_s == 0:
                self._one(connection, ways, item)
                tried += 1
        return tried

    def _one(self, connection: Connection, ways: _Ways, item: Due) -> None:
        # No transaction is open while a partner is asked: a slow answer must hold nothing up.
        try:
            self._deliver(connection, ways, item)
        except NotDelivered as error:
            self._failed(connection, item, error)
            return
        with connection.begin():
            store.sent(connection, item.told.notice_id)
        if self._circuit_of(item).succeeded():
            log.info("feedback: partner %s of %s answers again", item.told.partner_id, item.told.municipality)

    def _deliver(self, connection: Connection, ways: _Ways, item: Due) -> None:
        told = item.told
        channel = self._channel_of(told.municipality, told.partner_id)
        if channel is None:
            raise NotDelivered("the policy names no channel of this partner any more", alive=True)
        if channel.publisher is not None:
            self._check_hears(channel.publisher, item)
            ways.topics.deliver(channel.publisher, told, lambda: store.oldest(connection))
        elif channel.url is not None:
            ways.webhook.deliver(channel.url, told, message_of(told, self._settings.ce_source))
        elif self._feedback.folder is not None:
            put_file(self._feedback.folder, told, message_of(told, self._settings.ce_source))
        else:
            raise NotDelivered("FEEDBACK_DIR is not set")

    def _check_hears(self, publisher: str, item: Due) -> None:
        """Raise NotDelivered where a topic's reader may not hear of this partner's signals."""
        topic, told = topic_of(publisher), item.told
        try:
            self._feedback.publishers.check(topic, told.municipality, told.partner_id)
        except Rejected as refusal:
            what = f"{topic} may not hear of this signal by the publishers file: {refusal.field}"
            raise NotDelivered(what, alive=True) from refusal

    def _channel_of(self, municipality: str, partner_id: str) -> PartnerChannel | None:
        policy = self._policies.get(municipality)
        return None if policy is None else policy.channels.partners.get(partner_id)

    def _failed(self, connection: Connection, item: Due, error: NotDelivered) -> None:
        told, feedback = item.told, self._feedback
        circuit = self._circuit_of(item)
        if error.alive:
            circuit.succeeded()
        elif circuit.failed(at_least_s=error.retry_after_s):
            whose = f"partner {told.partner_id} of {told.municipality}"
            log.error("feedback: %s is left alone for %.0f s: %s", whose, circuit.pause_s, error)
        again_s = min(feedback.backoff_s * 2 ** min(item.attempts, _DOUBLINGS_MAX), feedback.backoff_max_s)
        log.warning("feedback: %s waits for %g s: %s", told.notice_id, again_s, error)
        with connection.begin():
            store.failed(connection, told.notice_id, str(error), again_s)

    def _circuit_of(self, item: Due) -> Circuit:
        whose = Addressee(item.told.municipality, item.told.partner_id)
        feedback = self._feedback
        return self._circuits.setdefault(
            whose, Circuit(feedback.failures_max, feedback.pause_s, feedback.pause_max_s)
        )
