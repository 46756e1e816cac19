"""The generated month is believable: its shares lie near those of domain 5, and about a fifth is followed up."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from signaalwissel.processors.dead_letters import DeadLetters, Source
from signaalwissel.processors.emissions import DECISIONS, RESIDENT_EVENTS, SIGNALS, Emission
from signaalwissel.processors.intake_signals import Arrival, IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.pseudonyms import MatchSecret, PseudonymKeys
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import SealingKey
from signaalwissel.schemas.contract import codec
from signaalwissel.sources.generator import generate

BEGIN, END = datetime(2026, 1, 31, 23, tzinfo=UTC), datetime(2026, 2, 28, 23, tzinfo=UTC)
KEY = SealingKey("test", b"k" * 32)


@pytest.fixture(scope="module")
def signals(good_lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line["value"] for line in good_lines if line["topic"] == "signals"]


def identified_by(subject: dict[str, Any]) -> str:
    if subject["bsn"]:
        return "BSN"
    return "ADDRESS_AND_BIRTH_DATE" if subject["birth_date"] else "ADDRESS"


@pytest.mark.parametrize(
    ("kind", "share"), [("HEALTH_INSURANCE", 0.41), ("RENT", 0.2), ("ENERGY", 0.2), ("WATER", 0.18)]
)
def test_the_mix_of_partners_is_that_of_the_country(signals: list[dict[str, Any]], kind: str, share: float):
    counted = sum(signal["partner"]["kind"] == kind for signal in signals) / len(signals)
    assert counted == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(
    ("way", "share"), [("BSN", 0.5), ("ADDRESS_AND_BIRTH_DATE", 0.15), ("ADDRESS", 0.35)]
)
def test_partners_identify_residents_as_they_may(signals: list[dict[str, Any]], way: str, share: float):
    counted = sum(identified_by(signal["subject"]) == way for signal in signals) / len(signals)
    assert counted == pytest.approx(share, abs=0.03)


def test_a_quarter_of_the_energy_signals_is_a_crisis(signals: list[dict[str, Any]]):
    energy = [signal["crisis"] for signal in signals if signal["partner"]["kind"] == "ENERGY"]
    assert sum(energy) / len(energy) == pytest.approx(0.25, abs=0.04)


def test_signals_come_in_within_the_month_but_for_a_few_older_ones(signals: list[dict[str, Any]]):
    received = [datetime.fromisoformat(signal["received_at"]) for signal in signals]
    assert max(received) < END
    older = [moment for moment in received if moment < BEGIN]
    assert 0.02 < len(older) / len(signals) < 0.08
    assert min(older) > BEGIN - timedelta(days=184)


def test_deliveries_come_in_batches(signals: list[dict[str, Any]]):
    hours = Counter(
        (signal["municipality"], signal["partner"]["partner_id"], signal["received_at"][:13])
        for signal in signals
    )
    assert sum(count for count in hours.values() if count > 5) > 0.4 * len(signals)


def test_arrears_begin_before_they_are_signalled(signals: list[dict[str, Any]]):
    for signal in signals:
        known = signal["signalled_on"] or signal["received_at"][:10]
        assert signal["arrears_since"] is None or signal["arrears_since"] < known
        assert 10 < float(signal["arrears"]) < 25_000


def test_more_than_a_third_of_the_residents_has_a_history(month_lines: list[dict[str, Any]]):
    clients = [client["bsn"] for line in month_lines for client in line["value"].get("clients", ())]
    assert 0.33 < len(set(clients)) / 2_000 < 0.42


def test_events_spread_from_long_before_the_month_to_after_it(good_lines: list[dict[str, Any]]):
    exits = [
        date.fromisoformat(line["value"]["occurred_on"])
        for line in good_lines
        if line["topic"] == "trajectories" and line["value"]["kind"] == "EXITED"
    ]
    assert min(exits) < date(2025, 1, 1)
    assert max(exits) > date(2026, 3, 1)
    assert sum(date(2026, 2, 1) <= day <= date(2026, 2, 28) for day in exits) > 20


class TestKeys:
    """One key for everything: nothing here is secret."""

    __test__ = False

    def knows(self, municipality: str) -> bool:
        return len(municipality) == 4

    def pseudonym_keys(self, municipality: str) -> PseudonymKeys:
        secret = MatchSecret(1, municipality.encode() * 8)
        return PseudonymKeys(municipality, b"h" * 32, secret, (secret,))

    def day_key(self, municipality: str, day: date) -> SealingKey:
        return KEY

    def identity_key(self, municipality: str) -> SealingKey:
        return KEY

    def system_key(self) -> SealingKey:
        return KEY

    def by_id(self, key_id: str) -> SealingKey:
        return KEY


class Flow:
    """Intake and matcher in one process, on dictionaries: what `simulate` does, reduced to first decisions."""

    def __init__(self) -> None:
        policies, keys, nonce = packaged_policies(for_every_code=True), TestKeys(), lambda: b"n" * 12
        self.signals = IntakeSignals(policies, Publishers(), keys, nonce)
        dead_letters = DeadLetters("intake", keys, nonce)
        self.trajectories = IntakeTrajectories(policies, Publishers(), keys, nonce, dead_letters)
        self.matcher = Matcher(policies)
        self.tables: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
        self.state = MatcherState({}, {}, {})

    def step(self, offset: int, line: dict[str, Any]) -> list[Emission]:
        record = codec("EarlySignal" if line["topic"] == SIGNALS else "TrajectoryEvent").from_json(
            line["value"]
        )
        if line["topic"] == SIGNALS:
            arrival = Arrival(SIGNALS, record.received_at, codec("EarlySignal").encode(record))
            taken = self.signals.step(self.tables[0], record, arrival)
        else:
            source = Source(line["topic"], 0, offset, record.recorded_at, None, b"")
            taken = self.trajectories.step(self.tables[1], record, source)
        return [
            decided
            for emission in taken
            if emission.topic == RESIDENT_EVENTS
            for decided in self.matcher.step(self.state, emission.key, emission.value, Clock(0, 0))
            if decided.topic == DECISIONS
        ]


def test_about_a_fifth_of_the_signals_is_followed_up_and_late_truth_corrects_some():
    flow, routes, reasons, corrected = Flow(), Counter[str](), Counter[str](), 0
    refusals: set[RejectionCode] = set()
    for offset, line in enumerate(generate(1_000, 2_500, 17, bad=0.0)):
        try:
            decisions = [codec("Decision").decode(emission.value) for emission in flow.step(offset, line)]
        except Rejected as refusal:
            refusals.add(refusal.code)
            continue
        for decision in decisions:
            corrected += decision.revision > 0
            if decision.revision == 0:
                routes[decision.route.value] += 1
                reasons[decision.reason.value] += 1
    assert refusals == {RejectionCode.CONFLICTING_RESEND}
    assert 0.15 <= routes["COUNSELLOR_FOLLOWUP"] / routes.total() <= 0.25
    assert min(reasons.values()) >= 3
    assert len(reasons) == 11
    assert corrected >= 10
