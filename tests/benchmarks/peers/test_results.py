"""JSON lines, medians and ratios of the comparison."""

import json
from collections import Counter

import pytest

from tests.benchmarks.peers.catalogue import PEERS
from tests.benchmarks.peers.latency import Latency
from tests.benchmarks.peers.measure import Figures
from tests.benchmarks.peers.results import Result, best_of, names_of, ratios
from tests.benchmarks.peers.verify import Verdict


def result(name: str, *rates: float, findings: Counter[str] | None = None) -> Result:
    runs = [Figures(rate, 1e6 / rate, 100.0, 1.0, Verdict(findings or Counter(), 10, 0)) for rate in rates]
    return Result(PEERS[name], 2, runs, [Latency(50.0, 150.0)], signals=10)


def test_a_line_has_the_medians_under_the_agreed_names() -> None:
    content = json.loads(result("signaalwissel", 40_000, 10_000, 50_000).line())
    assert list(content)[:8] == [
        "peer", "guarantee", "signals_per_s", "cpu_us_per_signal", "p50_ms", "p99_ms", "peak_rss_mib", "correct",
    ]  # fmt: skip
    assert content["signals_per_s"] == 40_000
    assert content["p99_ms"] == 150.0
    assert content["correct"] is True


def test_one_wrong_run_makes_the_peer_wrong() -> None:
    made = result("signaalwissel", 40_000, 40_000)
    made.runs.append(result("signaalwissel", 1.0, findings=Counter({"missing": 1})).runs[0])
    assert made.content()["correct"] is False


def test_a_run_that_failed_makes_the_peer_wrong() -> None:
    made = result("signaalwissel", 40_000)
    made.failures.append("throughput 2: the peer ended by itself")
    assert not made.correct


def test_ratios_are_to_the_quicker_store_of_kafka_streams() -> None:
    results = [
        result("signaalwissel", 40_000),
        result("kafka-streams-rocksdb", 10_000),
        result("kafka-streams", 20_000),
    ]
    ratio = ratios(results[0], best_of(results))
    assert ratio["signals_per_s"] == 2.0
    assert ratio["cpu_us_per_signal"] == 0.5


def test_without_kafka_streams_there_are_no_ratios() -> None:
    made = [result("signaalwissel", 40_000)]
    assert set(ratios(made[0], best_of(made)).values()) == {None}


def test_an_unknown_peer_is_refused_by_name() -> None:
    assert names_of("flink,bytewax") == ["flink", "bytewax"]
    with pytest.raises(ValueError, match="storm"):
        names_of("flink,storm")
