"""`make faults`: rows of the fault matrix on real Kafka and PostgreSQL, then defects that the checker must see.

The last line is one JSON object, also of a run that was cut short, which it says. Ends with 1 when a gate does not hold or
a planted defect goes unseen, with 128 and the signal's number when it was cut short.
"""

import argparse
import json
import logging
import os
import signal
import sys
import time
from types import FrameType

from tests.faults.matrix import ROWS
from tests.faults.product import STORES
from tests.faults.run import Gate, Row, Run, Settings
from tests.faults.soak import BOUND_S, soak
from tests.faults.trials import SOUND, Trial
from tests.faults.whole import running, walk_all

_SHORT_S = 1_500
_LONG_S = 36_000
_SOAK_ENDS_S = 4_800
"""Behind the time in which a soak sends: for catching up, healing, judging and `audit verify`."""
_TIDYING_S = 120
_LINES = 5


def main() -> int:
    """Run what is asked for; 0 when every gate holds."""
    given = _arguments()
    _end_in_time(_bound_s(given))
    logging.basicConfig(level=logging.CRITICAL)
    settings = Settings(given.seed, given.scale, given.long, store=given.store)
    rows = [ROWS[number] for number in given.rows]
    print(
        f"seed {settings.seed}, {'soak' if given.soak else f'rows {[row.number for row in rows]}'}",
        flush=True,
    )
    began = time.monotonic()
    ended = Ended()
    try:
        if given.soak:
            _soak(settings, ended)
        else:
            walk_all(rows, settings, ended, trials=not given.no_defects)
    except CutShort as cut:
        signal.alarm(0)
        wanted = [] if given.soak else rows
        summary = _summary(ended, settings, time.monotonic() - began) | _missing(cut, ended, wanted)
        print(json.dumps(summary), flush=True)
        return cut.status
    summary = _summary(ended, settings, time.monotonic() - began)
    print(json.dumps(summary))
    return 0 if summary["passed"] else 1


class CutShort(BaseException):
    """A signal ends the run before its rows do; nothing that deals with faults may take it for one of them."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


class Ended:
    """What has ended so far, told as it ends."""

    def __init__(self) -> None:
        self.gates: list[Gate] = []
        self.trials: list[Trial] = []

    def gate(self, gate: Gate, run: Run) -> None:
        """A row is over."""
        self.gates.append(gate)
        _tell(gate, run)

    def trial(self, trial: Trial) -> None:
        """A defect was tried."""
        self.trials.append(trial)
        _tell_trial(trial)


def _missing(cut: CutShort, ended: Ended, rows: list[Row]) -> dict[str, object]:
    """What the line says of a run that was cut: that it was, and which rows nobody may take for passed."""
    told = {gate.row for gate in ended.gates}
    unfinished = {str(row.number): "not ended" for row in rows if row.number not in told}
    return {"rows": _states(ended.gates) | unfinished, "cut_short": str(cut), "passed": False}


def _soak(settings: Settings, ended: Ended) -> None:
    with running(settings, small_disks=False) as run, run.product.running():
        ended.gate(soak(run), run)


def _tell(gate: Gate, run: Run) -> None:
    state = f"SKIPPED: {gate.skipped}" if gate.skipped else "passed" if gate.passed else "FAILED"
    figures = f"{gate.signals} signals, {gate.kills} kills, lost {gate.lost}, duplicated {gate.duplicated}"
    print(
        f"row {gate.row:2} {state:8} {gate.fault}: {figures}, wrong {gate.wrong_state}, {gate.seconds} s, "
        f"healed in {gate.healed_s} s {json.dumps(gate.details)}",
        flush=True,
    )
    for problem in gate.problems:
        print(f"       {problem}", flush=True)
    if gate.problems and os.environ.get("SIGNAALWISSEL_FAULTS_LOGS"):
        _tell_logs(run)


def _tell_logs(run: Run) -> None:
    """The ends of all logs, and before them what a library called unexpected, wherever it stands."""
    for file in sorted(run.product.folder.glob("*.log")):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in [one for one in lines if "Unexpected" in one or "ends with an error" in one][:_LINES]:
            print(f"{file.name}: {line[:3000]}")
    print(run.product.installation.logs())


def _tell_trial(trial: Trial) -> None:
    seen = f"{len(trial.seen)} findings, first: {trial.seen[0]}" if trial.seen else "nothing"
    state = "as it must" if trial.as_it_must else "FAILED"
    print(f"defect {trial.defect}: the checker sees {seen} ({state})", flush=True)


def _states(gates: list[Gate]) -> dict[str, object]:
    return {str(gate.row or "all"): "skipped" if gate.skipped else gate.passed for gate in gates}


def _summary(ended: Ended, settings: Settings, seconds: float) -> dict[str, object]:
    gates, trials = ended.gates, ended.trials
    walked = [gate for gate in gates if not gate.skipped]
    # What the last look counts was sent by the rows before it.
    sending = [gate for gate in walked if gate.row]
    planted = [trial for trial in trials if trial.defect != SOUND]
    return {
        "seed": settings.seed,
        "store": settings.store,
        "signals": sum(gate.signals for gate in sending) + sum(trial.signals for trial in trials),
        "kills": sum(gate.kills for gate in sending) + sum(trial.kills for trial in trials),
        "lost": sum(gate.lost for gate in walked),
        "duplicated": sum(gate.duplicated for gate in walked),
        "wrong_state": sum(gate.wrong_state for gate in walked),
        "rows": _states(gates),
        "defects_planted": len(planted),
        "defects_caught": sum(trial.as_it_must for trial in planted),
        "seconds": round(seconds, 1),
        "passed": all(gate.passed for gate in walked) and all(trial.as_it_must for trial in trials),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rows", type=_rows, default=sorted(ROWS), help="numbers, with commas between them")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SIGNAALWISSEL_FAULTS_SEED", "1")))
    parser.add_argument(
        "--scale", type=float, default=float(os.environ.get("SIGNAALWISSEL_FAULTS_SCALE", "1"))
    )
    parser.add_argument("--store", choices=STORES, default=STORES[0], help="where tables lie")
    parser.add_argument(
        "--soak", action="store_true", help="very many signals instead of rows; see tests/faults/soak.py"
    )
    parser.add_argument("--no-defects", action="store_true", help="leave the checker untested")
    parser.add_argument("--long", action="store_true", help="the numbers of the matrix; takes hours")
    parser.add_argument("--bound", type=int, help="end after so many seconds whatever happens")
    return parser.parse_args()


def _bound_s(given: argparse.Namespace) -> int:
    """After how many seconds a run ends whatever happens: more where more is to be done."""
    if given.bound is not None:
        return int(given.bound)
    if given.soak:
        return BOUND_S + _SOAK_ENDS_S
    return _LONG_S if given.long else round(_SHORT_S * max(given.scale, 1.0))


def _rows(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


def _end_in_time(bound_s: int) -> None:
    def leave(number: int, _frame: FrameType | None) -> None:
        # Stopping servers and programs may take a while, and no longer.
        signal.alarm(_TIDYING_S)
        raise CutShort(number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGALRM, leave)
    signal.alarm(bound_s)


if __name__ == "__main__":
    sys.exit(main())
