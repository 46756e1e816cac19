"""The command line inside the test's process, and an installation for it to work on."""

import json
import logging
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from signaalwissel import processors
from signaalwissel.console import runtime, topics
from signaalwissel.console.main import main
from signaalwissel.console.settings import Settings
from signaalwissel.processors.dead_letters import About, DeadLetters, Source
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import DeadLetter, Header
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks import dead_letters
from signaalwissel.sinks.database import open_engine
from signaalwissel.streams.topics import layout

MUNICIPALITY = "0344"
PARTITIONS = 2
BOUND_MS = 20_000


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class CommandLine:
    """Runs commands as `signaalwissel` does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Ended:
        self._monkeypatch.setattr(sys, "argv", ["signaalwissel", *map(str, arguments)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended, _logging_as_it_was():
            main()
        out, err = self._capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, out, err)


@contextmanager
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


class Installation:
    """Topics, a database with tables, policies and keys, and the variables that name them."""

    def __init__(self, bootstrap: str, database_url: str, prefix: str, folder: Path) -> None:
        self.folder = folder
        self.policy_dir, self.key_dir = folder / "policies", folder / "keys"
        self.policy_dir.mkdir()
        default = (Path(processors.__path__[0]) / "default.toml").read_text("utf-8")
        register = '[privacy]\nprocessing_register = "register/sample.toml"\n'
        (self.policy_dir / "default.toml").write_text(f"{default}\n{register}", "utf-8")
        (self.policy_dir / "register").mkdir()
        shutil.copy(
            Path(__file__).parents[2] / "docs" / "processing-register.toml",
            self.policy_dir / "register" / "sample.toml",
        )
        (self.policy_dir / f"{MUNICIPALITY}.toml").touch()
        self.keys = LocalKeys(self.key_dir)
        self.keys.create(MUNICIPALITY)
        self.bootstrap, self.database_url, self.prefix = bootstrap, database_url, prefix
        self.engine = open_engine(database_url, name="test")
        self.variables = {
            "KAFKA_BOOTSTRAP": bootstrap,
            "DATABASE_URL": database_url,
            "TOPIC_PREFIX": prefix,
            "KEY_DIR": str(self.key_dir),
            "POLICY_DIR": str(self.policy_dir),
            "PARTITIONS": str(PARTITIONS),
        }

    @property
    def settings(self) -> Settings:
        return Settings(**{name.lower(): value for name, value in self.variables.items()})  # type: ignore[arg-type]

    def make_topics(self) -> None:
        with topics.admin(self.settings) as client:
            topics.make(client, layout(runtime.names(self.settings), PARTITIONS), 1)

    def producer(self, **options: Any) -> KafkaProducer:
        return KafkaProducer(bootstrap_servers=self.bootstrap, **options)

    def records(self, topic: str, count: int) -> list[Any]:
        """The first `count` records of a topic; fails where there are fewer."""
        consumer = KafkaConsumer(
            self.prefix + topic,
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            consumer_timeout_ms=BOUND_MS,
        )
        found: list[Any] = []
        for record in consumer:
            found.append(record)
            if len(found) == count:
                break
        consumer.close()
        assert len(found) == count
        return found

    def end_offsets(self, topic: str) -> int:
        """The ends of a topic's partitions, together: records ever written, and markers of transactions."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap)
        partitions = [TopicPartition(self.prefix + topic, number) for number in range(PARTITIONS)]
        ends = consumer.end_offsets(partitions)
        consumer.close()
        return sum(ends.values())

    def refuse(
        self,
        source: Source,
        code: RejectionCode = RejectionCode.UNREADABLE,
        about: About = About(MUNICIPALITY, "s-1"),  # noqa: B008 a frozen value
    ) -> DeadLetter:
        """Put a dead letter of intake into the table."""
        emission = DeadLetters("intake", self.keys, fresh_nonce).of(
            source, Rejected(code, "arrears", "must be a number"), about
        )
        letter: DeadLetter = codec("DeadLetter").decode(emission.value)
        self.store([letter])
        return letter

    def store(self, letters: Iterable[DeadLetter]) -> None:
        with self.engine.begin() as connection:
            dead_letters.record(connection, list(letters))

    def status(self, letter: DeadLetter) -> str:
        row = dead_letters.show_dead_letter(self.engine, letter.dead_letter_id)
        assert row is not None
        return row.status.value


def source(
    topic: str = "signals",
    offset: int = 7,
    value: bytes | None = b"not a record",
    headers: tuple[Header, ...] = (Header("ce_id", b"e-1"),),
) -> Source:
    """A record that was refused."""
    return Source(topic, 0, offset, 1_772_000_000_000 + offset, b"partner/s-1", value, headers)
