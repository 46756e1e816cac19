"""A resident's trajectory and signals meet, whatever partitions they come through and whoever published them how."""

from collections.abc import Callable
from pathlib import Path

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.routing import Route
from signaalwissel.streams.outputs import partition_of

from tests.system.installation import Installation
from tests.system.lines import applied, event, signal

pytestmark = pytest.mark.timeout(300)

PARTITIONS = 4


def test_trajectory_and_signal_from_different_partitions_meet(install: Callable[..., Installation]) -> None:
    product = install(partitions=PARTITIONS)
    product.start("worker")
    product.publish([applied("2026-01-01")])
    product.settle()
    own = partition_of(b"0344/T1", PARTITIONS)
    elsewhere = [
        f"s{n}" for n in range(200) if partition_of(f"woonstichting/s{n}".encode(), PARTITIONS) != own
    ][:20]
    product.publish([signal(signal_id, "2026-02-10") for signal_id in elsewhere])
    product.settle()
    assert {decision.signal_id for decision in product.decisions()} == set(elsewhere)
    assert {decision.route for decision in product.decisions()} == {Route.COUNSELLOR_FOLLOWUP}


def test_records_with_another_key_or_none_are_moved_and_handled_in_one_place(
    install: Callable[..., Installation],
) -> None:
    product = install(partitions=PARTITIONS)
    product.start("worker")
    event_codec, signal_codec = codec("TrajectoryEvent"), codec("EarlySignal")
    opened = event_codec.encode(event_codec.from_json(applied("2026-01-01")["value"]))
    closed = event_codec.encode(
        event_codec.from_json(event("EXITED", 2, "2026-01-20", exit_reason="NO_SHOW")["value"])
    )
    # The same trajectory's events, spread over all partitions and repeated in each of them.
    for partition in range(PARTITIONS):
        product.send_raw("trajectories", opened, partition=partition)
        product.send_raw("trajectories", closed, partition=partition, key=b"whatever")
    product.settle()
    one = signal_codec.encode(signal_codec.from_json(signal("one", "2026-02-10")["value"]))
    for partition in range(PARTITIONS):
        product.send_raw("signals", one, partition=partition)
    product.settle()
    decisions = product.decisions()
    assert [decision.reason.value for decision in decisions] == ["EXIT_NOT_COMPLETED"]
    assert len(product.read("signals-moved")) == PARTITIONS - 1
    assert product.dead_letters() == []


def test_a_publisher_may_speak_for_its_own_municipality_and_partner_only(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    allowed = tmp_path / "publishers.toml"
    allowed.write_text('["signals.woonstichting"]\nmunicipalities = ["0344"]\npartners = ["woonstichting"]\n')
    product = install(partitions=PARTITIONS, publishers=allowed)
    product.start("worker")
    topic = "signals.woonstichting"
    other_partner = signal("b", "2026-02-10", partner={"partner_id": "waterbedrijf", "kind": "WATER"})
    product.publish(
        [
            {**signal("a", "2026-02-10"), "topic": topic},
            {**other_partner, "topic": topic},
            {**signal("c", "2026-02-10", municipality="0363"), "topic": topic},
        ]
    )
    product.settle()
    assert [decision.signal_id for decision in product.decisions()] == ["a"]
    refused = {(letter.code, letter.record_id) for letter in product.dead_letters()}
    assert refused == {("PUBLISHER_NOT_ALLOWED", "b"), ("PUBLISHER_NOT_ALLOWED", "c")}


def test_late_truth_corrects_a_routed_signal_once(install: Callable[..., Installation]) -> None:
    product = install(partitions=PARTITIONS)
    product.start("worker")
    product.publish([signal("a", "2026-02-10")])
    product.settle()
    product.publish([applied("2026-01-01", recorded_at="2026-02-20T09:00:00Z")] * 2)
    product.settle()
    told = [(d.revision, d.route, d.action) for d in sorted(product.decisions(), key=lambda d: d.revision)]
    assert [route for _, route, _ in told] == [Route.REGULAR_FLOW, Route.COUNSELLOR_FOLLOWUP]
    assert [len(product.read(f"{side}-corrections")) for side in ("counsellor", "regular")] == [1, 1]
