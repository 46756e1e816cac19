"""`simulate` shows each rule on a file that a new user can write; the numbers are those of the domain's section 8."""

from pathlib import Path
from typing import Any

import pytest

from tests.console.files_support import (
    STARTED,
    Line,
    answers,
    exited,
    fields_of,
    on_topic,
    simulated,
)
from tests.system.lines import BSN, OTHER_BSN, applied, event, signal

HOME = {"postcode": "3511AB", "house_number": 12}
ANNA = {"bsn": BSN, **HOME, "birth_date": "1980-05-17", "surname": "van den Jansen"}
COUNSELLOR = {"counsellor_id": "b-17", "team": "team-noord"}


def moved_in(day: str, **client: Any) -> Line:
    """An application of Anna's, with her address."""
    return applied(day) | {"value": applied(day)["value"] | {"clients": [ANNA | client]}}


class TestEachRule:
    """One file per number."""

    def test_8_1_six_months_run_to_the_clamped_last_day_included(self, tmp_path: Path) -> None:
        outputs = simulated(
            tmp_path,
            [STARTED, exited("2025-08-31"), signal("last", "2026-02-28"), signal("late", "2026-03-01")],
        )
        assert [line["topic"] for line in outputs] == [
            "counsellor-followup",
            "decisions",
            "regular-flow",
            "decisions",
        ]
        (followed,) = on_topic(outputs, "counsellor-followup")
        assert followed["reason"] == "COMPLETED_WITHIN_WINDOW"
        assert (followed["trajectory_state"], followed["window_ends_on"]) == ("WINDOW", "2026-02-28")
        assert fields_of(on_topic(outputs, "decisions"), "signal_id", "route", "reason") == [
            ("last", "COUNSELLOR_FOLLOWUP", "COMPLETED_WITHIN_WINDOW"),
            ("late", "REGULAR_FLOW", "COMPLETED_OUTSIDE_WINDOW"),
        ]

    def test_8_2_a_signal_speaks_from_the_day_it_was_sent_in_amsterdam(self, tmp_path: Path) -> None:
        outputs = simulated(
            tmp_path,
            [
                STARTED,
                exited("2025-08-31"),
                signal("sent", "2026-03-03", signalled_on="2026-02-28"),
                signal("unsent", "2026-03-03"),
                signal("night", "2026-02-28", received_at="2026-02-28T23:30:00Z"),
            ],
        )
        decided = on_topic(outputs, "decisions")
        assert fields_of(decided, "signal_id", "reason", "reference_date", "last_day") == [
            ("sent", "COMPLETED_WITHIN_WINDOW", "2026-02-28", "2026-03-03"),
            ("unsent", "COMPLETED_OUTSIDE_WINDOW", "2026-03-03", "2026-03-03"),
            ("night", "COMPLETED_OUTSIDE_WINDOW", "2026-03-01", "2026-03-01"),
        ]

    def test_8_2_a_trajectory_that_ran_on_one_of_its_days_hits(self, tmp_path: Path) -> None:
        gone = exited("2026-02-10", "MOVED")
        found = answers(
            tmp_path,
            STARTED,
            gone,
            signal("ran", "2026-02-12", signalled_on="2026-02-09"),
            signal("not", "2026-02-12"),
        )
        assert found == {"ran": "RUNNING_TRAJECTORY", "not": "EXIT_NOT_COMPLETED"}

    def test_8_3_what_is_still_open_hits_however_the_trajectory_ended(self, tmp_path: Path) -> None:
        opened = event("SERVICE_OPENED", 2, "2023-02-01", service="BUDGET_MANAGEMENT")
        care = event("AFTERCARE_STARTED", 10, "2026-01-10")
        ended = [applied("2023-01-10"), opened, exited("2023-06-01", "NO_SHOW")]
        before, after = signal("before", "2026-01-09"), signal("after", "2026-01-10")
        outputs = simulated(tmp_path, [*ended, before, care, after])
        followed = on_topic(outputs, "counsellor-followup")
        assert fields_of(followed, "signal_id", "reason", "trajectory_state") == [
            ("before", "OPEN_SERVICE", "SERVICE_OPEN"),
            ("after", "OPEN_AFTERCARE", "AFTERCARE"),
        ]

    @pytest.mark.parametrize(
        ("ending", "reason"),
        [
            (exited("2026-01-10"), "COMPLETED_WITHIN_WINDOW"),
            (exited("2026-01-10", "MOVED"), "EXIT_NOT_COMPLETED"),
            (exited("2026-01-10", "NO_SHOW"), "EXIT_NOT_COMPLETED"),
            (event("REFUSED", 2, "2026-01-10"), "ADMISSION_REFUSED"),
        ],
    )
    def test_8_4_only_a_completed_trajectory_counts_and_the_regular_side_never_learns_why(
        self, tmp_path: Path, ending: Line, reason: str
    ) -> None:
        outputs = simulated(tmp_path, [STARTED, ending, signal("s", "2026-02-10")])
        assert fields_of(on_topic(outputs, "decisions"), "reason") == [(reason,)]
        for told in on_topic(outputs, "regular-flow"):
            assert told["reason"] == "NO_HIT"
            assert (told["trajectory_id"], told["counsellor"], told["client"]) == (None, None, None)
        assert len(on_topic(outputs, "regular-flow")) == (reason != "COMPLETED_WITHIN_WINDOW")

    def test_8_5_the_day_of_the_exit_belongs_to_what_follows(self, tmp_path: Path) -> None:
        found = answers(
            tmp_path,
            STARTED,
            exited("2026-02-10"),
            signal("before", "2026-02-09"),
            signal("on", "2026-02-10"),
            signal("first", "2025-01-10"),
            signal("earlier", "2025-01-09"),
        )
        assert found == {
            "before": "RUNNING_TRAJECTORY",
            "on": "COMPLETED_WITHIN_WINDOW",
            "first": "RUNNING_TRAJECTORY",
            "earlier": "NO_TRAJECTORY",
        }

    def test_8_6_a_running_trajectory_goes_before_a_completed_one(self, tmp_path: Path) -> None:
        second = {"trajectory_id": "T2", "event_id": "t2-1"}
        running = applied("2025-12-20") | {"value": applied("2025-12-20")["value"] | second}
        outputs = simulated(tmp_path, [STARTED, exited("2025-12-01"), running, signal("s", "2026-02-10")])
        (followed,) = on_topic(outputs, "counsellor-followup")
        assert (followed["trajectory_id"], followed["reason"]) == ("T2", "RUNNING_TRAJECTORY")

    def test_8_6_a_death_goes_before_everything(self, tmp_path: Path) -> None:
        objection = event("OBJECTION_LODGED", 5, "2026-01-05")
        found = answers(
            tmp_path, STARTED, objection, exited("2026-02-01", "DECEASED"), signal("s", "2026-02-10")
        )
        assert found == {"s": "DECEASED"}

    def test_8_7_the_counsellor_owns_it_and_without_one_the_team_does(self, tmp_path: Path) -> None:
        assigned = event("COUNSELLOR_ASSIGNED", 2, "2026-02-05", counsellor=COUNSELLOR)
        outputs = simulated(
            tmp_path, [STARTED, signal("nobody", "2026-02-04"), assigned, signal("b-17", "2026-02-10")]
        )
        assert fields_of(on_topic(outputs, "counsellor-followup"), "signal_id", "counsellor", "team") == [
            ("nobody", None, "schuldhulpverlening"),
            ("b-17", COUNSELLOR, "team-noord"),
        ]
        # A new counsellor moves the task, not the route.
        assert on_topic(outputs, "counsellor-corrections") == []

    @pytest.mark.parametrize(
        ("subject", "reason", "matched_by", "evidence"),
        [
            ({"bsn": BSN}, "RUNNING_TRAJECTORY", "BSN", None),
            (HOME | {"birth_date": "1980-05-17"}, "RUNNING_TRAJECTORY", "ADDRESS_AND_BIRTH_DATE", None),
            (
                {"postcode": "3511 ab", "house_number": 12, "birth_date": "1980-05-17"},
                "RUNNING_TRAJECTORY",
                "ADDRESS_AND_BIRTH_DATE",
                None,
            ),
            (HOME, "ADDRESS_ONLY_MATCH", "ADDRESS", None),
            (HOME | {"surname": "Jansen"}, "ADDRESS_ONLY_MATCH", "ADDRESS", "NAME"),
            (HOME | {"surname": "Pietersen"}, "ADDRESS_ONLY_MATCH", "ADDRESS", None),
            (HOME | {"birth_date": "1990-01-01"}, "NO_TRAJECTORY", None, None),
            (HOME | {"house_number_addition": "bis"}, "NO_TRAJECTORY", None, None),
            ({"bsn": OTHER_BSN}, "NO_TRAJECTORY", None, None),
        ],
    )
    def test_8_8_who_it_is(
        self,
        tmp_path: Path,
        subject: dict[str, Any],
        reason: str,
        matched_by: str | None,
        evidence: str | None,
    ) -> None:
        outputs = simulated(tmp_path, [moved_in("2025-01-10"), signal("s", "2026-02-10", subject=subject)])
        (decided,) = on_topic(outputs, "decisions")
        assert (decided["reason"], decided["matched_by"], decided["evidence"]) == (
            reason,
            matched_by,
            evidence,
        )
        expected = [{"trajectory_id": "T1", "client": 0}] if reason == "ADDRESS_ONLY_MATCH" else []
        assert decided["candidates"] == expected

    def test_8_11_an_event_that_comes_late_yields_one_correction(self, tmp_path: Path) -> None:
        late = event("APPLIED", 1, "2026-02-01", clients=[{"bsn": BSN}], recorded_at="2026-03-17T10:00:00Z")
        outputs = simulated(tmp_path, [signal("s", "2026-02-10"), late, late])
        assert [line["topic"] for line in outputs] == [
            "regular-flow",
            "decisions",
            "regular-corrections",
            "counsellor-corrections",
            "decisions",
        ]
        (withdrawn,) = on_topic(outputs, "regular-corrections")
        assert (withdrawn["action"], withdrawn["cause"], withdrawn["to"]) == ("WITHDRAWN", None, None)
        (moved,) = on_topic(outputs, "counsellor-corrections")
        assert (moved["action"], moved["cause"], moved["revision"]) == ("MOVED", "LIFECYCLE", 1)
        assert (moved["to"]["trajectory_id"], moved["to"]["reason"]) == ("T1", "RUNNING_TRAJECTORY")
        decided = on_topic(outputs, "decisions")
        assert fields_of(decided, "revision", "caused_by_event_id") == [(0, None), (1, "e1")]
        assert decided[1]["previous_routing_id"] == decided[0]["routing_id"] == moved["from_routing_id"]

    @pytest.mark.parametrize(
        ("recorded_at", "corrected"),
        [("2026-03-17T22:59:59Z", True), ("2026-03-17T23:00:00Z", False)],
    )
    def test_8_11_the_horizon_ends_with_the_thirty_fifth_day(
        self, tmp_path: Path, recorded_at: str, corrected: bool
    ) -> None:
        late = event("APPLIED", 1, "2026-02-01", clients=[{"bsn": BSN}], recorded_at=recorded_at)
        outputs = simulated(tmp_path, [signal("s", "2026-02-10"), late])
        assert bool(on_topic(outputs, "counsellor-corrections")) is corrected

    def test_8_12_an_objection_stops_the_test_until_it_is_withdrawn(self, tmp_path: Path) -> None:
        found = answers(
            tmp_path,
            STARTED,
            event("OBJECTION_LODGED", 2, "2026-02-05"),
            event("OBJECTION_WITHDRAWN", 3, "2026-02-20"),
            signal("before", "2026-02-04"),
            signal("objected", "2026-02-05"),
            signal("withdrawn", "2026-02-21"),
        )
        assert found == {
            "before": "RUNNING_TRAJECTORY",
            "objected": "OBJECTION",
            "withdrawn": "RUNNING_TRAJECTORY",
        }

    def test_8_13_a_trajectory_is_tested_in_its_own_municipality_only(self, tmp_path: Path) -> None:
        outputs = simulated(
            tmp_path,
            [STARTED, signal("own", "2026-02-10"), signal("other", "2026-02-10", municipality="0363")],
        )
        assert fields_of(on_topic(outputs, "decisions"), "municipality", "reason", "trajectory_id") == [
            ("0344", "RUNNING_TRAJECTORY", "T1"),
            ("0363", "NO_TRAJECTORY", None),
        ]

    @pytest.mark.parametrize(
        ("since", "timing"),
        [
            ("2025-02-28", "BEFORE_ADMISSION"),
            ("2025-03-01", "AFTER_ADMISSION"),
            ("2026-01-09", "AFTER_ADMISSION"),
            ("2026-01-11", "AFTER_EXIT"),
            (None, "UNKNOWN"),
        ],
    )
    def test_8_19_every_follow_up_says_whether_the_debt_is_new(
        self, tmp_path: Path, since: str | None, timing: str
    ) -> None:
        lines = [STARTED, event("ADMITTED", 2, "2025-03-01"), exited("2026-01-10")]
        outputs = simulated(tmp_path, [*lines, signal("s", "2026-02-10", arrears_since=since)])
        assert fields_of(on_topic(outputs, "counsellor-followup"), "debt_timing") == [(timing,)]

    def test_8_19_without_an_admission_it_is_unknown(self, tmp_path: Path) -> None:
        outputs = simulated(tmp_path, [STARTED, signal("s", "2026-02-10", arrears_since="2026-01-01")])
        assert fields_of(on_topic(outputs, "counsellor-followup"), "debt_timing") == [("UNKNOWN",)]
