"""The generator as its users see it: the same lines for the same arguments, sound records but for the bad ones."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

import fastavro
import pytest
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.validation import check_event, check_signal, passes_eleven_test
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.sources.generated_flaws import EVENT_FLAWS, NEVER_APPLIED, SIGNAL_FLAWS
from signaalwissel.sources.generated_people import proof_bsns
from signaalwissel.sources.generated_records import Line
from signaalwissel.sources.generator import generate

from tests.sources.conftest import SEED, SIGNALS

RECORDS = {"signals": "EarlySignal", "trajectories": "TrajectoryEvent"}
SCHEMAS = {
    name: json.loads((Path(__file__).parents[2] / "schemas" / f"{name}.v1.avsc").read_text("utf-8"))
    for name in RECORDS.values()
}
POLICY = packaged_policies().default
DIGEST = """
import hashlib, json
from signaalwissel.sources.generator import generate
dumped = (json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in generate(300, 600, 11))
print(hashlib.sha256("\\n".join(dumped).encode()).hexdigest())
"""


def dumped(lines: Any) -> list[str]:
    return [json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in lines]


def clock(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["value"].get("received_at") or line["value"]["recorded_at"])


def as_avro(value: Any, schema: Any) -> Any:
    """The JSON form as the values that fastavro validates."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(schema, list):
        return as_avro(value, next(branch for branch in schema if branch != "null"))
    if isinstance(value, list):
        return [as_avro(item, schema["items"]) for item in value]
    if isinstance(value, dict):
        if not isinstance(schema["fields"], list) or isinstance(schema.get("type"), dict):
            schema = schema["type"]
        assert list(value) == [field["name"] for field in schema["fields"]]
        return {field["name"]: as_avro(value[field["name"]], field["type"]) for field in schema["fields"]}
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if logical == "date":
        return date.fromisoformat(value)
    if logical == "timestamp-millis":
        assert value.endswith("Z")
        assert len(value) == len("2026-02-01T00:00:00.000Z")
        return datetime.fromisoformat(value)
    return Decimal(value) if logical == "decimal" else value


def refused(line: dict[str, Any]) -> bool:
    """Whether intake's own rules refuse the record by itself."""
    try:
        record = codec(RECORDS[line["topic"]]).from_json(line["value"])
        if line["topic"] == "signals":
            check_signal(record, POLICY)
        else:
            check_event(record)
    except (DoesNotFit, Rejected):
        return True
    return False


def test_the_same_arguments_give_the_same_bytes_in_every_process():
    digests = set()
    for hash_seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", DIGEST]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        digests.add(run.stdout.strip())
    here = hashlib.sha256("\n".join(dumped(generate(300, 600, 11))).encode()).hexdigest()
    assert digests == {here}


def test_another_seed_gives_another_month():
    assert dumped(generate(50, 50, 1)) != dumped(generate(50, 50, 2))


def test_another_number_of_signals_keeps_the_trajectories():
    few, many = (
        [line for line in generate(200, count, 5) if line["topic"] == "trajectories"] for count in (10, 500)
    )
    assert few == many


@pytest.mark.parametrize(("residents", "signals"), [(1, 0), (1, 1), (3, 40), (50, 999), (1000, 2000)])
def test_there_are_exactly_as_many_signals_as_asked(residents: int, signals: int):
    assert sum(line["topic"] == "signals" for line in generate(residents, signals, 3)) == signals


def test_there_are_exactly_as_many_signals_with_all_resends_and_bad_ones(month_lines: list[dict[str, Any]]):
    assert sum(line["topic"] == "signals" for line in month_lines) == SIGNALS


def test_lines_come_in_the_order_of_arrival(month_lines: list[dict[str, Any]], marked_lines: list[Line]):
    arrivals = [line.arrival_ms for line in marked_lines]
    assert arrivals == sorted(arrivals)
    behind = [
        highest - now
        for now, highest in zip(
            map(clock, month_lines), accumulate(map(clock, month_lines), max), strict=True
        )
    ]
    assert max(behind) < timedelta(days=20)
    assert sum(delay < timedelta(minutes=1) for delay in behind) > 0.95 * len(behind)


def test_history_comes_before_the_month(month_lines: list[dict[str, Any]]):
    begin = datetime(2026, 1, 31, 23, tzinfo=UTC)
    history = [line["topic"] for line in month_lines if clock(line) < begin]
    assert history.count("trajectories") > 0.5 * sum(line["topic"] == "trajectories" for line in month_lines)
    assert history.count("signals") < 0.1 * SIGNALS
    assert min(map(clock, month_lines)) < begin - timedelta(days=420)


def test_every_good_record_fits_its_schema_field_by_field(good_lines: list[dict[str, Any]]):
    for line in good_lines:
        schema = SCHEMAS[RECORDS[line["topic"]]]
        assert fastavro.validate(as_avro(line["value"], schema), schema, strict=True)


def test_intake_refuses_the_bad_records_and_no_other(
    month_lines: list[dict[str, Any]], marked_lines: list[Line]
):
    for line, marked in zip(month_lines, marked_lines, strict=True):
        assert refused(line) == (marked.flaw not in {None, NEVER_APPLIED}), marked.flaw


def test_every_kind_of_bad_record_occurs_in_a_small_share(marked_lines: list[Line]):
    flaws = [line.flaw for line in marked_lines if line.flaw]
    assert set(flaws) == {*SIGNAL_FLAWS, *EVENT_FLAWS}
    assert len(flaws) < 0.004 * len(marked_lines)


def test_a_share_of_nothing_gives_no_bad_records():
    assert not any(refused(line) for line in generate(300, 600, 4, bad=0.0))


def test_a_larger_share_gives_more_bad_signals():
    lines = [line for line in generate(300, 1000, 4, bad=0.2) if line["topic"] == "signals"]
    assert sum(map(refused, lines)) == 200


def test_an_application_follows_its_first_event_within_25_days(good_lines: list[dict[str, Any]]):
    waiting: dict[tuple[str, str], datetime] = {}
    applied = set()
    now = clock(good_lines[0])
    for line in good_lines:
        now = max(now, clock(line))
        if line["topic"] == "trajectories":
            key = line["value"]["municipality"], line["value"]["trajectory_id"]
            if line["value"]["kind"] == "APPLIED":
                applied.add(key)
                assert now - waiting.pop(key, now) <= timedelta(days=25)
            elif key not in applied:
                waiting.setdefault(key, now)
    assert not waiting


def test_one_of_two_clients_is_named_where_he_must_be(good_lines: list[dict[str, Any]]):
    events = [line["value"] for line in good_lines if line["topic"] == "trajectories"]
    two = {(e["municipality"], e["trajectory_id"]) for e in events if len(e["clients"]) == 2}
    for event in events:
        concerns_one = event["kind"].startswith("OBJECTION") or event["exit_reason"] == "DECEASED"
        if concerns_one and (event["municipality"], event["trajectory_id"]) in two:
            assert len(event["clients"]) == 1


def test_sequences_rise_with_the_moment_of_recording(good_lines: list[dict[str, Any]]):
    recorded: dict[tuple[str, str], dict[int, datetime]] = {}
    for line in good_lines:
        if line["topic"] == "trajectories":
            event = line["value"]
            known = recorded.setdefault((event["municipality"], event["trajectory_id"]), {})
            known[event["sequence"]] = min(known.get(event["sequence"], clock(line)), clock(line))
    for moments in recorded.values():
        in_order = [moment for _, moment in sorted(moments.items())]
        assert in_order == sorted(in_order)


def test_every_bsn_is_a_number_for_tests(good_lines: list[dict[str, Any]]):
    subjects = [line["value"].get("subject") for line in good_lines]
    clients = [client for line in good_lines for client in line["value"].get("clients", ())]
    bsns = {subject["bsn"] for subject in (*subjects, *clients) if subject and subject["bsn"]}
    assert len(bsns) > 1000
    assert all(passes_eleven_test(bsn) and bsn.startswith("999") for bsn in bsns)


def test_numbers_for_tests_never_repeat_and_go_on_where_999_ends():
    bsns = [bsn for bsn, _ in zip(proof_bsns(), range(120_000), strict=False)]
    assert len(set(bsns)) == len(bsns)
    assert all(passes_eleven_test(bsn) and bsn.startswith("99") for bsn in bsns)


def test_another_month_and_one_municipality_of_ones_own():
    lines = list(generate(200, 400, 9, month=date(2025, 3, 17), municipalities=("0193",)))
    received = [clock(line) for line in lines if line["topic"] == "signals"]
    begin, end = datetime(2025, 2, 28, 23, tzinfo=UTC), datetime(2025, 3, 31, 22, tzinfo=UTC)
    assert max(received) < end
    assert sum(moment >= begin for moment in received) > 350
    assert min(received) > begin - timedelta(days=200)
    change = datetime(2025, 3, 30, 1, tzinfo=UTC)
    assert any(abs(moment - change) < timedelta(hours=2) for moment in received)


def test_months_share_numbers_and_streets_but_no_residents():
    lines = list(generate(600, 300, 9, months=3, municipalities=("0344",)))
    signals = [line for line in lines if line["topic"] == "signals"]
    events = [line["value"] for line in lines if line["topic"] == "trajectories"]
    assert len(signals) == 300
    assert {clock(line).month for line in signals} >= {2, 3, 4}
    bsns_of: dict[str, set[str]] = {}
    for month in (1, 2, 3):
        alone = list(generate(200 * month, 0, 9, months=month, municipalities=("0344",), bad=0))
        bsns_of[str(month)] = {
            client["bsn"]
            for line in alone
            for client in line["value"].get("clients", ())
            if client.get("bsn")
        }
    assert bsns_of["1"] < bsns_of["2"] < bsns_of["3"]
    applied = {event["event_id"] for event in events if event["kind"] == "APPLIED"}
    assert len({event_id.split("/")[0] for event_id in applied}) > 150


def test_the_share_with_a_trajectory_is_what_was_asked_for():
    few = {
        line["value"]["trajectory_id"]
        for line in generate(2000, 0, 9, municipalities=("0344",), history=0.03, bad=0)
    }
    assert 40 <= len(few) <= 90


@pytest.mark.parametrize(
    ("residents", "signals", "more", "named"),
    [
        (0, 1, {}, "residents"),
        (10**6, 1, {}, "residents"),
        (1, -1, {}, "signals"),
        (1, 1, {"bad": 1.0}, "bad"),
        (1, 1, {"months": 0}, "months"),
        (5, 1, {"months": 6}, "residents"),
        (1, 1, {"history": 1.1}, "history"),
        (1, 1, {"municipalities": ()}, "municipalities"),
        (1, 1, {"municipalities": ("GM0344",)}, "municipalities"),
        (1, 1, {"municipalities": ("0344", "0344")}, "municipalities"),
    ],
)
def test_arguments_out_of_bounds_are_named(residents: int, signals: int, more: dict[str, Any], named: str):
    with pytest.raises(ValueError, match=named):
        generate(residents, signals, SEED, **more)
