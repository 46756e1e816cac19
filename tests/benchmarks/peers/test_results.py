"""JSON lines, medians and ratios of the comparison."""

import json
from collections import Counter

import pytest

from tests.benchmarks.peers.catalogue import PEERS
from tests.benchmarks.peers.latency import Latency
from tests.benchmarks.peers.measure import Figures
from tests.benchmarks.peers.results import Result, best_of, markdown_of, names_of, ratios
from tests.benchmarks.peers.verify import Verdict

SIGNALS = 2000


def result(
    name: str,
    *rates: float,
    findings: Counter[str] | None = None,
    cpu_us: float | None = None,
    p99_ms: float = 150.0,
) -> Result:
    verdict = Verdict(findings or Counter(), SIGNALS, 0)
    runs = [Figures(rate, cpu_us or 1e6 / rate, 100.0, 1.0, verdict) for rate in rates]
    return Result(PEERS[name], 2, runs, [Latency(50.0, p99_ms)], signals=SIGNALS)


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


def test_a_cold_replay_that_is_not_all_right_makes_the_peer_wrong() -> None:
    made = result("faust-naive", 2_000)
    made.replay = Verdict(Counter({"decisions: another record": 600}), 1400, 0)
    content = made.content()
    assert (content["cold_right_percent"], content["correct"]) == (70.0, False)
    assert content["cold_wrong"] == {"decisions: another record": 600}


@pytest.mark.parametrize(
    ("name", "corrections", "correct"),
    [
        ("signaalwissel-whole", 2, True),
        ("signaalwissel-whole", 3, False),
        ("signaalwissel", 3, False),
        ("kafka-streams", 3, True),
    ],
)
def test_of_a_thousand_signals_the_product_corrects_one_at_most(
    name: str, corrections: int, correct: bool
) -> None:
    made = result(name, 40_000)
    made.replay = Verdict(Counter(), SIGNALS, corrections)
    assert made.correct is correct


def test_in_each_figure_the_ratio_is_to_the_better_store_of_kafka_streams() -> None:
    results = [
        result("signaalwissel", 40_000, cpu_us=20.0, p99_ms=100.0),
        result("kafka-streams", 20_000, cpu_us=50.0, p99_ms=400.0),
        result("kafka-streams-rocksdb", 10_000, cpu_us=40.0, p99_ms=200.0),
        result("flink", 80_000, cpu_us=10.0, p99_ms=10.0),
    ]
    assert best_of(results) == {"signals_per_s": 20_000, "cpu_us_per_signal": 40.0, "p99_ms": 200.0}
    assert ratios(results[0], best_of(results)) == {
        "signals_per_s": 2.0,
        "cpu_us_per_signal": 0.5,
        "p99_ms": 0.5,
    }


def test_without_kafka_streams_there_are_no_ratios() -> None:
    made = [result("signaalwissel", 40_000)]
    assert set(ratios(made[0], best_of(made)).values()) == {None}


def test_a_page_has_a_line_for_each_peer_the_quickest_first() -> None:
    results = [result("kafka-streams", 20_000, cpu_us=50.0), result("signaalwissel", 40_000, cpu_us=25.0)]
    lines = markdown_of(results, 2)
    assert lines[4:] == [
        "| signaalwissel | exactly_once | 40,000 | 2.00 | 25.0 | 0.50 | 50 | 150 | 1.00 | 100 | - | - | yes | the matcher |",
        "| kafka-streams | exactly_once | 20,000 | 1.00 | 50.0 | 1.00 | 50 | 150 | 1.00 | 100 | - | - | yes | stores in memory |",
    ]


def test_an_unknown_peer_is_refused_by_name() -> None:
    assert names_of("flink,bytewax") == ["flink", "bytewax"]
    with pytest.raises(ValueError, match="storm"):
        names_of("flink,storm")
