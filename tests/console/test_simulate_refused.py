"""`simulate` on records that are refused or ignored; the numbers are those of the domain's section 8."""

import json
from pathlib import Path

from tests.console.files_support import fields_of, on_topic, simulated
from tests.system.lines import applied, event, signal


def test_8_15_the_same_signal_again_is_ignored_refused_or_new(tmp_path: Path) -> None:
    outputs = simulated(
        tmp_path,
        [
            signal("s", "2026-02-10"),
            signal("s", "2026-03-17"),
            signal("s", "2026-02-12", arrears="300.00"),
            signal("s", "2026-03-18"),
        ],
    )
    assert fields_of(on_topic(outputs, "decisions"), "received_at", "revision") == [
        ("2026-02-10T10:00:00.000Z", 0),
        ("2026-03-18T10:00:00.000Z", 0),
    ]
    refused = on_topic(outputs, "dead-letters")
    assert fields_of(refused, "signal_id", "code", "field") == [("s", "CONFLICTING_RESEND", "signal_id")]


def test_8_16_bad_input_is_refused_with_field_and_rule_and_never_the_value(tmp_path: Path) -> None:
    lines = [
        signal("bsn", "2026-02-10", subject={"bsn": "111222334"}),
        signal("postcode", "2026-02-10", subject={"postcode": "0511AB", "house_number": 1}),
        signal("code", "2026-02-10", municipality="GM0344"),
        signal("nobody", "2026-02-10", subject={"surname": "Geheim"}),
        signal("nothing", "2026-02-10", arrears="0.00"),
        signal("future", "2026-02-10", signalled_on="2026-02-11"),
        signal("stale", "2026-02-10", signalled_on="2025-12-09"),
        signal("old", "2026-02-10", arrears_since="1899-12-31"),
        event("EXITED", 2, "2026-02-10"),
        event("APPLIED", 3, "2026-02-10"),
    ]
    outputs = simulated(tmp_path, lines)
    assert fields_of(on_topic(outputs, "dead-letters"), "record_id", "code", "field") == [
        ("bsn", "INVALID_FIELD", "subject.bsn"),
        ("postcode", "INVALID_FIELD", "subject.postcode"),
        ("code", "INVALID_FIELD", "municipality"),
        ("nobody", "MISSING_FIELD", "subject"),
        ("nothing", "INVALID_FIELD", "arrears"),
        ("future", "INVALID_FIELD", "signalled_on"),
        ("stale", "INVALID_FIELD", "signalled_on"),
        ("old", "INVALID_FIELD", "arrears_since"),
        ("e2", "MISSING_FIELD", "exit_reason"),
        ("e3", "MISSING_FIELD", "clients"),
    ]
    assert len(outputs) == len(lines)
    told = json.dumps(outputs)
    assert not any(value in told for value in ("111222334", "0511AB", "Geheim", "1899"))


def test_8_16_an_event_waits_thirty_days_for_its_application(tmp_path: Path) -> None:
    waiting = event("ADMITTED", 2, "2026-01-01")
    on_time = [waiting, applied("2026-01-31"), signal("s", "2026-02-10")]
    assert on_topic(simulated(tmp_path, on_time), "dead-letters") == []
    refused = on_topic(simulated(tmp_path, [waiting, signal("s", "2026-02-10")]), "dead-letters")
    assert fields_of(refused, "event_id", "code", "field") == [("e2", "ORPHANED_EVENT", "trajectory_id")]
