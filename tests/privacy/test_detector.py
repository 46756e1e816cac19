"""The detector finds a planted leak in every spelling and in every kind of haystack, and tells where, not what."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.record.default_records import DefaultRecordBatchBuilder
from rocksdict import Options, Rdict
from signaalwissel.sinks.database import open_engine
from sqlalchemy import text as sql

from tests.privacy import haystacks
from tests.privacy.detector import Detector, Finding, Hay, files_below, report
from tests.privacy.needles import Canary, needles, resident, text

PERSON = resident(4, "012345672", "9731ZX", "1913-02-27")
BSN = "012345672"
NAME = "Kanarië-Vliet4weg"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PERSON)


def names(findings: list[Finding]) -> set[str]:
    return {finding.needle.canary for finding in findings}


def utf16(value: str) -> bytes:
    return value.encode("utf-16-le")


SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "reversed": lambda value: value[::-1].encode(),
    "base64": lambda value: base64.b64encode(value.encode()),
    "base64, one byte on": lambda value: base64.b64encode(b"a" + value.encode() + b"tail"),
    "base64, two bytes on": lambda value: base64.b64encode(b"ab" + value.encode() + b"tail"),
    "URL base64": lambda value: base64.urlsafe_b64encode(b"\xff\xfe\xff" + value.encode()),
    "hex": lambda value: value.encode().hex().encode(),
    "HEX": lambda value: value.encode().hex().upper().encode(),
    "UTF-16 LE": utf16,
    "UTF-16 BE": lambda value: value.encode("utf-16-be"),
    "Latin-1": lambda value: value.encode("latin-1"),
    "JSON": lambda value: json.dumps({"name": value}).encode(),
    "lower case": lambda value: value.lower().encode(),
    "upper case": lambda value: value.upper().encode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("canary", PERSON, ids=lambda canary: canary.name)
def test_every_spelling_of_every_canary_is_found(detector: Detector, canary: Canary, spelling: str) -> None:
    leak = b"\x00before " + SPELLINGS[spelling](canary.texts[0]) + b" behind\xff"
    assert canary.name in names(detector.search([Hay("here", leak)]))


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
@pytest.mark.parametrize("written", ["012345672", "12345672", "0012345672"])
def test_an_unkeyed_digest_of_a_bsn_is_found(detector: Detector, algorithm: str, written: str) -> None:
    digest = hashlib.new(algorithm, written.encode()).digest()
    for leak in (
        digest,
        digest.hex().encode(),
        digest.hex().upper().encode(),
        base64.b64encode(b"x" + digest),
    ):
        assert names(detector.search([Hay("here", b"key=" + leak + b";")])) == {"4.bsn"}


@pytest.mark.parametrize(
    "leak", [b"12345672", (12345672).to_bytes(8, "big"), (12345672).to_bytes(8, "little")]
)
def test_a_bsn_is_found_without_its_zero_and_as_a_number(detector: Detector, leak: bytes) -> None:
    assert names(detector.search([Hay("here", leak)])) == {"4.bsn"}


def test_what_is_no_canary_is_not_found(detector: Detector) -> None:
    innocent = b"987654321 Jansen " + hashlib.sha256(b"987654321").digest() + bytes(range(256)) * 500
    assert detector.search([Hay("here", innocent)]) == []


def test_a_canary_that_chance_would_find_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^short, plain: shorter"):
        needles([text("short", "abc")])


def test_a_report_names_the_place_and_never_the_value(detector: Detector) -> None:
    told = report(detector.search([Hay("topic tasks[3]@17 value", b"..." + BSN.encode())]))
    assert "topic tasks[3]@17 value, byte 3: 4.bsn (plain)" in told
    assert not any(written in told + repr(PERSON) for one in PERSON for written in one.texts)


def test_a_leak_on_the_border_of_two_pieces_of_a_sparse_file_is_found(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.privacy.detector._PIECE", 1 << 12)
    file = tmp_path / "00000000000000000000.index"
    with file.open("wb") as opened:
        opened.truncate(64 << 20)
        opened.seek(32 << 20)
        opened.write(b"z" * ((1 << 12) - 4) + BSN.encode() + b"z" * 3000)
    (found,) = {one for one in detector.in_files([file], lambda path: path.name) if one.needle.spelling == "plain"
                and one.at == (32 << 20) + (1 << 12) - 4}  # fmt: skip
    assert found.place == "00000000000000000000.index"


def test_a_leak_in_a_copy_of_a_segment_is_found(detector: Detector, tmp_path: Path) -> None:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    builder.append(0, 1000, b"key", b"value of " + NAME.encode(), [("header", BSN.encode())])
    segment = tmp_path / "test-tasks-0" / "00000000000000000000.log"
    segment.parent.mkdir()
    segment.write_bytes(bytes(builder.build()))
    found = detector.in_files(files_below(tmp_path), lambda path: path.parent.name)
    assert names(found) == {"4.bsn", "4.surname"}
    assert {one.place for one in found} == {"test-tasks-0"}


def test_a_leak_in_a_log_is_found(detector: Detector, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text(json.dumps({"event": f"cannot reach {NAME.upper()}", "level": "error"}), "utf-8")
    assert names(detector.in_files(files_below(tmp_path), str)) == {"4.surname"}


def test_a_leak_in_a_compressed_batch_a_key_or_a_header_is_found(
    detector: Detector, kafka_bootstrap: str, topic_prefix: str
) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics([NewTopic(f"{topic_prefix}tasks", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap, compression_type="gzip")
    phone = PERSON[2].texts[0]
    sent = producer.send(
        f"{topic_prefix}tasks", BSN.encode() * 100, key=NAME.encode(), headers=[("x", b""), (phone, b"")]
    )
    place = sent.get(timeout=30)
    producer.close()
    found = detector.search(haystacks.records(kafka_bootstrap, topic_prefix))
    at = f"topic tasks[{place.partition}]@{place.offset}"
    assert {(one.place, one.needle.canary) for one in found} == {
        (f"{at} key", "4.surname"),
        (f"{at} value", "4.bsn"),
        (f"{at} header 1 name", "4.phone"),
    }


def test_a_leak_in_a_table_is_found(detector: Detector, database_url: str) -> None:
    with open_engine(database_url, name="test").connect() as connection:
        connection.execute(sql("CREATE TABLE leaky (fine text, seal bytea, told jsonb)"))
        connection.execute(
            sql("INSERT INTO leaky VALUES ('fine', :seal, CAST(:told AS jsonb))"),
            {"seal": BSN.encode(), "told": json.dumps({"who": NAME})},
        )
        found = detector.search(haystacks.tables(connection))
    assert {(one.place, one.needle.canary) for one in found} == {
        ("table public.leaky.seal row 0", "4.bsn"),
        ("table public.leaky.told row 0", "4.surname"),
    }


def test_a_leak_in_a_store_on_disk_is_found(detector: Detector, tmp_path: Path) -> None:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    store = Rdict(str(tmp_path / "intake" / "3"), options)
    store[b"key"] = BSN.encode() * 1000
    store.close()
    found = detector.search(haystacks.rocks(tmp_path))
    assert {one.place for one in found} == {"store intake/3 value 0"}
    assert names(found) == {"4.bsn"}
