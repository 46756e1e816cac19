"""The page "your first signal in ten minutes" is walked as a reader would, and prints what it says."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from signaalwissel.deploy.ports import free_ports

pytestmark = pytest.mark.timeout(300)

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "first-signal.md"
BLOCK = re.compile(r"```(sh|output)\n(.*?)```", re.DOTALL)
READY = "# ready"
PATIENCE_S = 90.0


class Step(NamedTuple):
    """Commands of the page, and what they print at last."""

    commands: str
    shown: str | None


def steps() -> list[Step]:
    found: list[Step] = []
    for kind, text in BLOCK.findall(PAGE.read_text("utf-8")):
        if kind == "sh":
            found.append(Step(text, None))
        else:
            found[-1] = found[-1]._replace(shown=text.strip())
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the page uses of the checkout, so that nothing is left behind there."""
    for name in ("samples", "schemas"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / "build").mkdir()
    return tmp_path


@pytest.fixture
def running(
    kafka_bootstrap: str, database_url: str, topic_prefix: str, folder: Path
) -> Iterator[dict[str, str]]:
    """`signaalwissel up`, as in the first terminal; gives the environment of the second one."""
    (port,) = free_ports(1)
    given = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGNAALWISSEL_")},
        "SIGNAALWISSEL_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "SIGNAALWISSEL_DATABASE_URL": database_url,
        "SIGNAALWISSEL_TOPIC_PREFIX": topic_prefix,
        "SIGNAALWISSEL_WEB_PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with (folder / "up.log").open("w") as log:
        process = subprocess.Popen(
            ["signaalwissel", "up"], env=given, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        exports: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").rstrip("\n").partition("=")
                exports[name] = value
            if line.startswith(READY):
                break
        assert exports, (folder / "up.log").read_text()
        yield {**given, **exports}
    finally:
        process.terminate()
        process.wait(60)


def test_the_page_prints_what_it_says(running: dict[str, str], folder: Path, topic_prefix: str) -> None:
    for step in steps():
        deadline = time.monotonic() + PATIENCE_S
        while not (ended := walk(step, running, folder, topic_prefix)).as_shown:
            # The page says so too: what was published a moment ago may need another moment.
            assert "signal show" in step.commands, ended.told
            assert time.monotonic() < deadline, f"{step.commands}\n{ended.told}"
            time.sleep(0.5)


class Walked(NamedTuple):
    """What came of a step."""

    as_shown: bool
    told: str


def walk(step: Step, environment: dict[str, str], folder: Path, prefix: str) -> Walked:
    ended = subprocess.run(
        ["bash", "-eu", "-c", step.commands],
        env=environment,
        cwd=folder,
        check=False,
        timeout=120,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # The page has no prefix; the test has one, as it is not alone on its broker.
    told = ended.stdout.replace(prefix, "")
    return Walked(ended.returncode == 0 and (step.shown or "") in told, told)


def test_the_page_starts_what_the_test_starts() -> None:
    assert "\nsignaalwissel up\n" in PAGE.read_text("utf-8")
    assert [step.shown for step in steps()].count(None) == 0
