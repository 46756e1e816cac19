"""Nothing that an error, a traceback or a library's log line quotes of a record leaves the process."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from signaalwissel.console import runtime
from signaalwissel.console.tracebacks import SafeHandler, told, traceback_of
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.settings import SinkError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

BSN = "012345672"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What our logging writes, at DEBUG for everything; the test's own logging is put aside for that long."""
    stream = io.StringIO()
    root, ours = logging.getLogger(), logging.getLogger("signaalwissel")
    levels = root.level, ours.level
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(root, "handlers", [])
    runtime.log_to("test", level=logging.DEBUG)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def failed() -> Exception:
    """What a handler raises that stumbles over a resident."""
    try:
        try:
            {}[BSN]
        except KeyError as missing:
            subject = BSN
            error = ValueError(f"cannot place {subject}")
            error.add_note(f"it was {subject}")
            raise error from missing
    except ValueError as raised:
        return raised


def test_a_traceback_tells_where_and_what_kind_and_quotes_nothing() -> None:
    shown = traceback_of(failed())
    assert BSN not in shown
    assert "KeyError: its text is withheld" in shown
    assert "ValueError: its text is withheld" in shown
    assert "raise error from missing" in shown
    assert shown.index("KeyError") < shown.index("ValueError:")


def test_the_errors_of_a_group_are_told_one_by_one() -> None:
    shown = traceback_of(ExceptionGroup(BSN, [failed(), SinkError("decisions[0]@3: stopped")]))
    assert BSN not in shown
    assert "decisions[0]@3: stopped" in shown


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (SinkError("signals[3]@1042: nothing was stored"), "signals[3]@1042: nothing was stored"),
        (FileNotFoundError(2, "No such file or directory", "policy.toml"),
         "[Errno 2] No such file or directory: 'policy.toml'"),
        (AttributeError("'Fact' object has no attribute 'x'", name="x"), "'Fact' object has no attribute 'x'"),
        (RuntimeError(), "no text"),
        (OSError(BSN), "its text is withheld, as it may repeat what stood in a record"),
        (UnicodeDecodeError("utf-8", BSN.encode(), 0, 1, BSN),
         "its text is withheld, as it may repeat what stood in a record"),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Exception) else "",
)  # fmt: skip
def test_what_is_told_of_an_error(error: Exception, text: str) -> None:
    assert told(error) == text


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO people VALUES (:bsn, 1), (:bsn, 2)",
        "INSERT INTO people VALUES (:bsn, NULL)",
        "SELECT CAST(:bsn || 'x' AS integer)",
    ],
    ids=["key in DETAIL", "row in DETAIL", "value in the first line"],
)
def test_of_the_database_only_code_and_names_are_told(database_url: str, statement: str) -> None:
    engine = open_engine(database_url, name="test")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE people (bsn text PRIMARY KEY, house integer NOT NULL)"))
        with pytest.raises(DBAPIError) as raised:
            connection.execute(text(statement), {"bsn": BSN})
    assert isinstance(raised.value.orig, psycopg.Error)
    assert BSN in str(raised.value.orig)
    shown = traceback_of(raised.value)
    assert BSN not in shown
    assert f"SQLSTATE {raised.value.orig.sqlstate}" in shown


def test_an_error_of_sqlalchemy_does_not_hold_the_values_of_a_row(database_url: str) -> None:
    engine = open_engine(database_url, name="test")
    with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.execute(text("SELECT * FROM missing WHERE bsn = :bsn"), {"bsn": BSN})
    assert BSN not in str(raised.value)


def test_a_database_that_is_away_is_told_with_its_address() -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect("postgresql://127.0.0.1:1/none", connect_timeout=2)
    assert "127.0.0.1" in told(raised.value)


def test_a_log_line_with_an_error_among_its_arguments_quotes_nothing(written: io.StringIO) -> None:
    error = failed()
    logging.getLogger("signaalwissel.test").error("crashed: %s, %r", error, error, exc_info=error)
    logging.getLogger("mode.services").warning("Crashed reason=%r", error)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert BSN not in json.dumps(lines)
    assert len(lines) == 2
    assert "ValueError" in lines[0]["exception"]


def test_a_task_of_asyncio_that_nobody_asked_after_quotes_nothing(written: io.StringIO) -> None:
    async def fails() -> None:
        raise failed()

    async def forgets() -> None:
        task = asyncio.ensure_future(fails())
        await asyncio.wait([task])
        del task

    asyncio.run(forgets())
    told_of = written.getvalue()
    assert "Task exception was never retrieved" in told_of
    assert BSN not in told_of


def test_a_line_that_cannot_be_formatted_is_named_without_its_arguments(
    written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    (handler,) = [one for one in logging.getLogger().handlers if isinstance(one, SafeHandler)]
    handler.handle(
        logging.makeLogRecord(
            {"name": "signaalwissel.test", "msg": "partition %d", "args": (BSN,), "levelno": 40}
        )
    )
    told_of = capsys.readouterr().err + written.getvalue()
    assert "a log line of signaalwissel.test" in told_of
    assert BSN not in told_of


def test_kafka_clients_at_debug_say_nothing_of_records(kafka_bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}signals"
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()
    library, plain, safe = logging.getLogger("kafka"), io.StringIO(), io.StringIO()
    handlers = [logging.StreamHandler(plain), SafeHandler(safe)]
    before = library.level
    library.setLevel(logging.DEBUG)
    for handler in handlers:
        library.addHandler(handler)
    try:
        producer = KafkaProducer(bootstrap_servers=kafka_bootstrap)
        producer.send(topic, BSN.encode(), key=BSN.encode()).get(timeout=30)
        producer.close()
    finally:
        library.setLevel(before)
        for handler in handlers:
            library.removeHandler(handler)
    # The danger is real: without our handler the client tells the key.
    assert BSN in plain.getvalue()
    assert safe.getvalue() == ""


CRASHES = """
import sys, threading
from signaalwissel.console import main
from signaalwissel.console.tracebacks import install_hooks
class Fails:
    def __del__(self): raise ValueError("012345672")
def build(only):
    import typer
    program = typer.Typer(pretty_exceptions_enable=False)
    @program.command()
    def crash():
        thread = threading.Thread(target=lambda: {}["012345672"])
        thread.start()
        thread.join()
        Fails()
        raise ValueError("012345672")
    return program
main.build = build
sys.argv = ["signaalwissel"]
main.main()
"""


def test_a_crash_of_the_program_a_thread_or_a_finaliser_quotes_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CRASHES], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert BSN not in ended.stderr + ended.stdout
    for kind in ("a thread ends", "KeyError: its text", "a finaliser ends", "signaalwissel ends"):
        assert kind in ended.stderr, ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_under_the_log_does_not_end_the_process() -> None:
    program = (
        "import logging, os\n"
        "from signaalwissel.console import runtime\n"
        "runtime.log_to('sink')\n"
        "for _ in range(3): logging.getLogger('signaalwissel.sinks').info('x' * 9000)\n"
        "print('went on', flush=True)\n"
        "os._exit(0)\n"  # Python itself ends with 120 where it cannot flush standard error
    )
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, check=False
        )
    assert (ended.returncode, ended.stdout) == (0, "went on\n")
