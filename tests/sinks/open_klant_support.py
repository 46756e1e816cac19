"""Settings, clients and hand-overs against the stub of Open Klant."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.sinks import task_store
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.open_klant import OpenKlant
from signaalwissel.sinks.open_klant_http import Requests
from signaalwissel.sinks.open_klant_settings import OpenKlantSettings
from signaalwissel.sinks.open_klant_tables import open_klant_handovers
from signaalwissel.sinks.open_klant_worker import OpenKlantHandover
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.tables import outbox
from sqlalchemy import Engine, select, text

from tests.processors.followup_support import Desk, decision
from tests.sinks.open_klant_stub import TOKEN, OpenKlantStub
from tests.sinks.sink_support import ledger

BOUND_S = 30.0


def open_klant_settings(stub: OpenKlantStub, **changes: Any) -> OpenKlantSettings:
    """The stub's address and token, and short waits."""
    fields: dict[str, Any] = {
        "url": stub.url,
        "token": TOKEN,
        "poll_s": 0.1,
        "timeout_s": 1.0,
        "pause_s": 0.2,
        "pause_max_s": 0.2,
    }
    return OpenKlantSettings(**{**fields, **changes})


@contextmanager
def client(stub: OpenKlantStub, **changes: Any) -> Iterator[OpenKlant]:
    """A client of the stub."""
    settings = open_klant_settings(stub, **changes)
    with Requests(settings, threading.Event()) as requests:
        yield OpenKlant(requests, settings)


def relapse(number: int = 1) -> Task:
    """An open CONTACT_ON_RELAPSE task on a trajectory of its own."""
    desk = Desk()
    desk.follow(decision(f"s-{number}", trajectory_id=f"T-{number}"))
    return desk.only


class Desktop:
    """A database with tasks in it, and a hand-over of them."""

    def __init__(self, database_url: str, stub: OpenKlantStub) -> None:
        self.stub = stub
        self.settings = SinkSettings(bootstrap="127.0.0.1:9", database_url=database_url, retry_s=5.0)
        self.engine: Engine = open_engine(database_url, name="test")

    def keep(self, *tasks: Task) -> None:
        """Store tasks as the sink does."""
        with self.engine.begin() as connection:
            wanted = task_store.Wanted(task_ids=[task.task_id for task in tasks])
            stored = {task.task_id: task for task in task_store.load(connection, wanted)}
            task_store.save(connection, stored, tasks, ledger())

    def change(self, task: Task, **changes: Any) -> Task:
        """The task's next version, stored."""
        changed = replace(task, **changes).next_version()
        self.keep(changed)
        return changed

    def due_now(self) -> None:
        """Whatever waits is due, as if the time had passed."""
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE open_klant_handovers SET next_attempt_at = now()"))

    def row(self, task: Task) -> Any:
        """What is kept of a task's hand-over, None where nothing is."""
        with self.engine.connect() as connection:
            wanted = select(open_klant_handovers).where(open_klant_handovers.c.task_id == task.task_id)
            return connection.execute(wanted).first()

    def updates(self) -> list[TaskUpdate]:
        """The task updates in the outbox."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(outbox).order_by(outbox.c.id)).all()
        return [codec("TaskUpdate").decode(bytes(row.value)) for row in rows]

    @contextmanager
    def handing_over(self, **changes: Any) -> Iterator[OpenKlantHandover]:
        """A hand-over that runs; it must end well."""
        handover = OpenKlantHandover(self.settings, open_klant_settings(self.stub, **changes))
        handover.start()
        try:
            yield handover
        finally:
            handover.stop()
        assert not handover.is_alive()
        assert handover.failure is None, repr(handover.failure)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until `condition` holds; whatever waits is due meanwhile."""
        end = time.monotonic() + BOUND_S
        while not condition():
            assert time.monotonic() < end, f"waited {BOUND_S:g} s for {what}"
            self.due_now()
            time.sleep(0.05)
