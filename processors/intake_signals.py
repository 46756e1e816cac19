"""Intake of signals: from what a partner sent to what the matcher may see (design 1, 3, 7).

In: an EarlySignal in wire format. Out: a KeyedSignal under one match key, pseudonymous, its subject sealed; nothing
for the same signal again; Rejected for bad input. The table remembers accepted deliveries.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.dead_letters import About
from signaalwissel.processors.emissions import RESIDENT_EVENTS, Emission
from signaalwissel.processors.identifiers import signal_ref, signal_table_key
from signaalwissel.processors.matcher_state import Table
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.resend import Resend, resend_of
from signaalwissel.processors.sealing import KeyDestroyed, KeyProvider, seal
from signaalwissel.processors.stamped import record_in, stamp
from signaalwissel.processors.validation import check_municipality, check_published, check_signal
from signaalwissel.schemas.early_signal_codec import content_without_moment, sealed_subject_body
from signaalwissel.schemas.intake_signal_codec import read_intake_signal, write_intake_signal
from signaalwissel.schemas.internal import Delivery, IntakeSignal, KeyedSignal
from signaalwissel.schemas.keyed_signal_codec import carried_block, write_keyed_signal
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.units import Millis


class Arrival(NamedTuple):
    """A record as intake takes it: topic without prefix, Kafka's time, the bytes."""

    topic: str
    timestamp: Millis
    value: bytes


class IntakeSignals:
    """Accepts signals.

    Args:
        policies: The policy of each municipality.
        publishers: What each input topic may speak for.
        keys: Where secrets come from.
        nonce: Gives 12 fresh random bytes.
    """

    def __init__(
        self, policies: Policies, publishers: Publishers, keys: KeyProvider, nonce: Callable[[], bytes]
    ) -> None:
        self._policies = policies
        self._publishers = publishers
        self._keys = keys
        self._nonce = nonce

    @staticmethod
    def about(signal: EarlySignal) -> About:
        """What may be shown of a signal that is refused."""
        return About(signal.municipality, signal.signal_id)

    def step(self, table: Table, signal: EarlySignal, arrival: Arrival) -> list[Emission]:
        """Accept a signal.

        Args:
            table: Accepted deliveries per signal.
            signal: The signal, decoded from `arrival.value`.
            arrival: The record that it came in.

        Raises:
            Rejected: A rule of domain 8.15 or 8.16, or the allow-list, refuses it.
            KeyUnavailable: A key cannot be had: nothing may go on.
        """
        policy, last_day = self.check(signal, arrival.topic)
        check_published(signal.received_at, arrival.timestamp, "received_at")
        keys = self._keys.pseudonym_keys(signal.municipality)
        match_key = keys.signal_match_key(signal.subject)
        digest = keys.digest(content_without_moment(arrival.value, signal))
        accepted = _accepted(table, signal, Delivery(signal.received_at, digest, match_key), policy)
        if accepted is None:
            return []
        keyed = keyed_signal(signal, last_day, keys)
        keyed = keyed._replace(carried=carried_block(signal, self._sealed(signal, keyed)))
        # Last: what is refused on the way here was not accepted, and its number stays free (domain 8.15).
        table[_table_key(signal)] = stamp(write_intake_signal(accepted), arrival.timestamp)
        return [Emission(RESIDENT_EVENTS, match_key, write_keyed_signal(keyed))]

    def check(self, signal: EarlySignal, topic: str) -> tuple[Policy, date]:
        """Refuse a signal that is bad whatever else is known; raises Rejected.

        Returns:
            The municipality's policy and the day of receipt.
        """
        check_municipality(signal.municipality)
        policy = known_policy(signal.municipality, self._policies, self._keys)
        self._publishers.check(topic, signal.municipality, signal.partner.partner_id)
        return policy, check_signal(signal, policy)

    def _sealed(self, signal: EarlySignal, keyed: KeyedSignal) -> bytes:
        try:
            key = self._keys.day_key(signal.municipality, keyed.last_day)
        except KeyDestroyed:
            # Not a service that is away: this key never comes back, and without it the signal cannot be kept.
            rule = "the retention of this day is over; its data key was destroyed"
            raise Rejected(RejectionCode.INVALID_FIELD, "received_at", rule) from None
        body = sealed_subject_body(signal.subject, signal.customer_reference)
        return seal(body, key, subject_belongs_to(signal.municipality, keyed.signal_ref), self._nonce())


def keyed_signal(signal: EarlySignal, last_day: date, keys: PseudonymKeys) -> KeyedSignal:
    """A signal as the matcher decides it, without what it carries along.

    Args:
        signal: As sent.
        last_day: The day of receipt.
        keys: Of its municipality.
    """
    return KeyedSignal(
        signal_ref=signal_ref(
            signal.municipality, signal.partner.partner_id, signal.signal_id, signal.received_at
        ),
        reference_date=signal.signalled_on or last_day,
        last_day=last_day,
        pseudonym=keys.pseudonym(signal.subject),
        signal_id=signal.signal_id,
        municipality=signal.municipality,
        partner_id=signal.partner.partner_id,
        carried=b"",
    )


def subject_belongs_to(municipality: str, ref: bytes) -> str:
    """What a sealed subject is bound to: record type, municipality and accepted delivery (design 7)."""
    return f"RoutedSignal/{municipality}/{ref.hex()}"


def known_policy(municipality: str, policies: Policies, keys: KeyProvider) -> Policy:
    """The policy of a municipality that has policy and keys; raises Rejected for any other (design 6)."""
    policy = policies.get(municipality)
    if policy is None or not keys.knows(municipality):
        rule = "the municipality has no policy or no keys here"
        raise Rejected(RejectionCode.UNKNOWN_MUNICIPALITY, "municipality", rule)
    return policy


def _table_key(signal: EarlySignal) -> bytes:
    return signal_table_key(signal.municipality, signal.partner.partner_id, signal.signal_id)


def _accepted(table: Table, signal: EarlySignal, delivery: Delivery, policy: Policy) -> IntakeSignal | None:
    """The accepted deliveries with this one, or None where it is the same signal again; raises Rejected."""
    known = table.get(_table_key(signal))
    if known is None:
        return IntakeSignal((delivery,))
    accepted = read_intake_signal(record_in(known)).deliveries
    resend = resend_of(accepted, delivery, policy)
    if resend is Resend.CONFLICTING:
        days = policy.intake.resend_days
        rule = f"the same partner sent this signal_id with other content at most {days} days apart"
        raise Rejected(RejectionCode.CONFLICTING_RESEND, "signal_id", rule)
    return None if resend is Resend.SAME else IntakeSignal((*accepted, delivery))
