"""A sink that runs destroys by itself, and tells so on `notices`."""

import threading
from datetime import date
from pathlib import Path

from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import NoticeKind
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.database import migrate
from signaalwissel.sinks.process import run_sink
from signaalwissel.sinks.retention_round import Tools
from signaalwissel.sinks.settings import NOTICES
from signaalwissel.sinks.tables import dead_letters

from tests.processors.followup_support import MUNICIPALITY, at_noon
from tests.sinks.retention_support import SetMoment
from tests.sinks.sink_support import POLICIES, SinkBench, seal, until


def test_a_running_sink_destroys_what_is_over_and_its_relay_tells_so(
    bench: SinkBench, tmp_path: Path
) -> None:
    keys = LocalKeys(tmp_path / "keys")
    keys.create(MUNICIPALITY)
    migrate(bench.settings.database_url)
    row = {
        "dead_letter_id": "dl",
        "stage": "intake",
        "topic": "signals",
        "partition": 0,
        "offset": 1,
        "timestamp": moment_of(at_noon(date(2020, 1, 6))),
        "code": "UNREADABLE",
        "rule": "",
        "municipality": MUNICIPALITY,
        "sealed": b"x",
    }
    with bench.engine.begin() as connection:
        connection.execute(dead_letters.insert(), row)
    stopped = threading.Event()
    tools = Tools(keys, SetMoment(at_noon(date(2026, 3, 2))))
    sink = threading.Thread(target=run_sink, args=(bench.settings, POLICIES, seal, stopped, tools))
    sink.start()
    try:
        until(lambda: not bench.rows(dead_letters), "the dead letter to be destroyed")
        notices = [codec("NoticeEvent").decode(record.value) for record in bench.published(NOTICES, 1)]
    finally:
        stopped.set()
        sink.join(60)
    assert not sink.is_alive()
    assert {notice.kind for notice in notices} == {NoticeKind.DATA_DESTROYED}
    assert list((tmp_path / "keys" / MUNICIPALITY / "day").glob("2020-01-06.key"))
