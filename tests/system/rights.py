"""Residents whose values are told apart anywhere, and the command line of their rights."""

import io
import json
import logging
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from signaalwissel.console.main import main
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.processors.validation import passes_eleven_test

from tests.system.installation import Installation

MUNICIPALITY = "0344"
PARTNER = {"partner_id": "woonstichting", "kind": "RENT"}


def bsns(count: int, start: int = 200_000_000) -> list[str]:
    """So many BSNs that pass the 11-proof."""
    found: list[str] = []
    number = start
    while len(found) < count:
        if passes_eleven_test(str(number)):
            found.append(str(number))
        number += 1
    return found


def event(trajectory_id: str, kind: str, sequence: int, moment: str, **fields: Any) -> Line:
    """A lifecycle event of a trajectory, recorded when it happened."""
    value = {
        "event_id": f"{trajectory_id}-{sequence}",
        "trajectory_id": trajectory_id,
        "municipality": MUNICIPALITY,
        "sequence": sequence,
        "occurred_on": moment[:10],
        "recorded_at": moment,
        "kind": kind,
    }
    return {"topic": "trajectories", "value": value | fields}


def signal(signal_id: str, subject: dict[str, Any], received_at: str, **fields: Any) -> Line:
    """A signal."""
    value = {
        "signal_id": signal_id,
        "municipality": MUNICIPALITY,
        "partner": PARTNER,
        "subject": subject,
        "arrears": "250.00",
        "received_at": received_at,
    }
    return {"topic": "signals", "value": value | fields}


def ref(signal_id: str, received_at_ms: int) -> bytes:
    """The delivery of a signal of the one partner here."""
    return signal_ref(MUNICIPALITY, PARTNER["partner_id"], signal_id, received_at_ms)


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Rights:
    """Runs `signaalwissel subject ...` on an installation; who is meant goes through standard input."""

    product: Installation
    extra: dict[str, str] = field(default_factory=dict)

    def __call__(self, command: str, *options: object, about: dict[str, Any] | None = None) -> Ended:
        given = ["-", "--municipality", MUNICIPALITY, "--by", "po-3", "--json"] if about is not None else []
        arguments = ["signaalwissel", "subject", *command.split(), *given, *map(str, options)]
        out, err = io.StringIO(), io.StringIO()
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        with (
            mock.patch.dict(os.environ, {**self.product.environment, **self.extra}),
            mock.patch.object(sys, "argv", arguments),
            mock.patch.object(sys, "stdin", io.StringIO(json.dumps(about))),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
                code: Any = 0
            except SystemExit as ended:
                code = ended.code
            finally:
                root.handlers[:] = handlers
                root.setLevel(level)
        return Ended(int(code or 0), out.getvalue(), err.getvalue())

    def export(self, about: dict[str, Any], folder: Path) -> tuple[dict[str, Any], str]:
        """The two sides of an export."""
        ended = self("export", "--out", folder, about=about)
        assert ended.code == 0, ended.err
        content, page = (Path(file).read_text("utf-8") for file in ended.json["files"])
        return json.loads(content), page
