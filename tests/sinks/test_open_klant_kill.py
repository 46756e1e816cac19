"""The hand-over is killed with signal 9; Open Klant never has a task twice, and a completion is never told twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from signaalwissel.sinks.database import migrate

from tests.sinks.open_klant_server import running_stub
from tests.sinks.open_klant_stub import TOKEN, OpenKlantStub
from tests.sinks.open_klant_support import Desktop, relapse

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stub() -> Iterator[OpenKlantStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def desktop(database_url: str, stub: OpenKlantStub) -> Desktop:
    migrate(database_url)
    return Desktop(database_url, stub)


def started(desktop: Desktop, *step: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.sinks.open_klant_process"]
    return subprocess.Popen(
        [*command, desktop.settings.database_url, desktop.stub.url, TOKEN, *step], cwd=ROOT
    )


@pytest.mark.parametrize("step", ["open_klant.answered", "open_klant.committed"])
def test_killed_around_the_commit_there_is_one_internetaak(
    desktop: Desktop, stub: OpenKlantStub, step: str
) -> None:
    task = relapse()
    desktop.keep(task)
    assert started(desktop, step).wait(60) == -signal.SIGKILL
    assert len(stub.tasks) == 1
    with desktop.handing_over():
        desktop.until(lambda: desktop.row(task).version == task.version, "the hand-over")
    assert [len(kept) for kept in (stub.contacts, stub.objects, stub.tasks, stub.actors)] == [1, 1, 1, 1]


@pytest.mark.parametrize("where", ["POST maak-klantcontact", "POST internetaken"])
def test_killed_while_a_request_is_under_way_there_is_one_internetaak(
    desktop: Desktop, stub: OpenKlantStub, where: str
) -> None:
    # The server carries the request out when nobody waits for it any more, after the next process has looked.
    stub.fail(where, "late", seconds=6.0)
    task = relapse()
    desktop.keep(task)
    process = started(desktop)
    desktop.until(lambda: stub.count(where) == 1, "the request")
    process.kill()
    process.wait(30)
    with desktop.handing_over():
        desktop.until(lambda: desktop.row(task).version == task.version, "the hand-over")
        desktop.until(lambda: stub.finished_late == 1, "the late request")
        looked = stub.count("GET internetaken/")
        desktop.until(lambda: stub.count("GET internetaken/") > looked, "a look")
    assert [len(kept) for kept in (stub.contacts, stub.objects, stub.tasks)] == [1, 1, 1]


def test_killed_before_a_completion_was_kept_it_is_told_once(desktop: Desktop, stub: OpenKlantStub) -> None:
    task = relapse()
    desktop.keep(task)
    with desktop.handing_over():
        desktop.until(lambda: desktop.row(task) is not None and desktop.row(task).status == "OPEN", "it")
    stub.finish(stub.only_task["uuid"])
    for step in ("open_klant.answered", "open_klant.committed"):
        desktop.due_now()
        assert started(desktop, step).wait(60) == -signal.SIGKILL
    with desktop.handing_over():
        looked = desktop.row(task)
    assert looked.status == "COMPLETED"
    assert len(desktop.updates()) == 1
