"""Intake of signals: what the matcher may see of one; what is refused is in the tables of the rules."""

from datetime import date

import pytest
from signaalwissel.processors.emissions import RESIDENT_EVENTS
from signaalwissel.processors.intake_signals import Arrival, IntakeSignals, subject_belongs_to
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.sealing import KeyDestroyed, KeyUnavailable, SealingKey, unseal
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import KeyedSignal
from signaalwissel.schemas.keyed_signal_codec import open_carried, read_keyed_signal
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.processors.given import ANNA, default_policies, signal

KEYS = ThrowawayKeys()
SENT = signal(on="2026-02-28T23:30:00Z", about=ANNA, customer_reference="K-7", signalled_on="2026-02-27")


def record(line: dict[str, object] = SENT) -> tuple[EarlySignal, Arrival]:
    found: EarlySignal = codec("EarlySignal").from_json(line["value"])
    return found, Arrival("signals", 1_772_400_000_000, codec("EarlySignal").encode(found))


def intake(keys: ThrowawayKeys = KEYS, policies: Policies | None = None) -> IntakeSignals:
    return IntakeSignals(policies or default_policies(), Publishers(), keys, fresh_nonce)


def keyed() -> tuple[bytes, KeyedSignal]:
    found, arrival = record()
    (emission,) = intake().step({}, found, arrival)
    assert emission.topic == RESIDENT_EVENTS
    return emission.key, read_keyed_signal(emission.value)


def test_it_goes_out_under_the_strongest_key_that_it_carries() -> None:
    key, _ = keyed()
    found, _ = record()
    assert key == KEYS.pseudonym_keys("0344").signal_match_key(found.subject)


def test_nothing_of_the_resident_goes_out_in_the_clear() -> None:
    found, arrival = record()
    (emission,) = intake().step({}, found, arrival)
    for secret in (b"111222333", b"Jansen", b"3511", b"K-7"):
        assert secret in arrival.value
        assert secret not in emission.value


def test_its_days_are_days_in_amsterdam() -> None:
    _, found = keyed()
    assert (found.reference_date, found.last_day) == (date(2026, 2, 27), date(2026, 3, 1))


def test_the_subject_is_sealed_under_the_key_of_the_day_of_receipt_for_this_delivery() -> None:
    _, found = keyed()
    sealed = open_carried(found.carried).sealed_subject
    body = unseal(sealed, subject_belongs_to("0344", found.signal_ref), KEYS.by_id)
    inside = codec("SealedSubject").decode_body(body)
    assert (inside.subject.bsn, inside.customer_reference) == ("111222333", "K-7")
    assert b"0344/day/2026-03-01" in sealed


def test_the_table_keeps_no_content() -> None:
    table: dict[bytes, bytes] = {}
    found, arrival = record()
    intake().step(table, found, arrival)
    (value,) = table.values()
    assert b"111222333" not in value
    assert b"Jansen" not in value


def test_what_may_be_shown_of_a_refused_signal() -> None:
    found, _ = record()
    assert IntakeSignals.about(found) == ("0344", "S1")


@pytest.mark.parametrize(
    ("policies", "keys"),
    [
        pytest.param(Policies(default_policies().default), KEYS, id="no policy"),
        pytest.param(None, type("NoKeys", (ThrowawayKeys,), {"knows": lambda *_: False})(), id="no keys"),
    ],
)
def test_a_municipality_without_policy_or_keys_is_unknown(
    policies: Policies | None, keys: ThrowawayKeys
) -> None:
    with pytest.raises(Rejected, match="UNKNOWN_MUNICIPALITY: municipality"):
        intake(keys, policies).step({}, *record())


def test_without_a_key_nothing_goes_out() -> None:
    class Away(ThrowawayKeys):
        def day_key(self, municipality: str, day: date) -> SealingKey:
            raise KeyUnavailable(f"{municipality} {day}")

    with pytest.raises(KeyUnavailable):
        intake(Away()).step({}, *record())


def test_a_signal_of_a_day_whose_key_was_destroyed_is_refused() -> None:
    class Destroyed(ThrowawayKeys):
        def day_key(self, municipality: str, day: date) -> SealingKey:
            raise KeyDestroyed(f"{municipality} {day}")

    table: dict[bytes, bytes] = {}
    with pytest.raises(Rejected, match="INVALID_FIELD: received_at"):
        intake(Destroyed()).step(table, *record())
    assert not table, "what was refused was not accepted: its number stays free"


@pytest.mark.parametrize(("ahead", "refused"), [(86_400_000, False), (86_400_001, True)])
def test_a_moment_more_than_a_day_after_publication_is_refused(ahead: int, refused: bool) -> None:
    found, arrival = record()
    early = arrival._replace(timestamp=found.received_at - ahead)
    if not refused:
        assert len(intake().step({}, found, early)) == 1
        return
    with pytest.raises(Rejected, match="INVALID_FIELD: received_at: must not lie more than a day after"):
        intake().step({}, found, early)
