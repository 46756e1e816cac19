"""`import` on real Kafka: every row once, whatever is imported again, grows or dies in between."""

import csv
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.internal import TrajectoryState

from tests.console.import_support import (
    RECEIVED,
    SAMPLES,
    Importing,
    bsn_of,
    own_profile,
    signal_rows,
    write_csv,
)


@pytest.fixture
def importing(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Importing:
    return Importing(kafka_bootstrap, topic_prefix, tmp_path)


def signals_sent(importing: Importing) -> Counter[str]:
    return Counter(read_early_signal(record.value).signal_id for record in importing.read("signals"))


def test_a_second_import_adds_nothing_and_a_grown_file_only_what_is_new(
    importing: Importing, tmp_path: Path
) -> None:
    profile = own_profile(tmp_path)
    file = write_csv(tmp_path / "signalen.csv", signal_rows(range(5)))
    first = importing.run(profile, str(file), "--received-at", RECEIVED)
    again = importing.run(profile, str(file), "--received-at", "2026-02-11T12:00:00Z")
    write_csv(file, [*signal_rows(range(5)), *signal_rows(range(5, 7)), *signal_rows([2])])
    grown = importing.run(profile, str(file), "--received-at", RECEIVED)
    assert [(code, told["new"], told["known"]) for code, (told,), _ in (first, again, grown)] == [
        (0, 5, 0),
        (0, 0, 5),
        (0, 2, 6),
    ]
    assert signals_sent(importing) == Counter({f"S{number}": 1 for number in range(7)})


def test_what_is_refused_stands_beside_the_file_with_row_column_and_rule_and_no_value(
    importing: Importing, tmp_path: Path
) -> None:
    profile = own_profile(tmp_path)
    good, bad, late = signal_rows(range(3))
    bad[2], late[4] = "123456789", "09-02-2025"
    file = write_csv(tmp_path / "signalen.csv", [good, bad, late, ["0344", "S9"]])
    code, (told,), _ = importing.run(profile, str(file), "--received-at", RECEIVED)
    rejects = (tmp_path / "signalen.csv.rejects.csv").read_text("utf-8")
    rows = list(csv.DictReader(rejects.splitlines(), delimiter=";"))
    assert (code, told["rows"], told["accepted"], told["rejected"]) == (1, 4, 1, 3)
    assert [(row["row"], row["column"]) for row in rows] == [("3", "bsn"), ("4", "datum"), ("5", "")]
    assert bad[2] not in rejects
    assert late[1] not in rejects
    assert signals_sent(importing) == Counter({"S0": 1})


def test_a_mended_file_takes_its_rejects_away(importing: Importing, tmp_path: Path) -> None:
    profile = own_profile(tmp_path)
    file = write_csv(tmp_path / "signalen.csv", [*signal_rows([1]), ["0344", "S2", "123456789", "1,00", ""]])
    assert importing.run(profile, str(file), "--received-at", RECEIVED)[0] == 1
    write_csv(file, signal_rows([1, 2]))
    assert importing.run(profile, str(file), "--received-at", RECEIVED)[0] == 0
    assert not list(tmp_path.glob("*.rejects.csv"))
    assert signals_sent(importing) == Counter({"S1": 1, "S2": 1})


def test_a_dry_run_sends_nothing_and_tells_what_it_would(importing: Importing, tmp_path: Path) -> None:
    profile = own_profile(tmp_path)
    file = write_csv(
        tmp_path / "signalen.csv", [*signal_rows(range(2)), ["0344", "S2", "123456789", "1,00", ""]]
    )
    code, (told,), _ = importing.run(profile, str(file), "--received-at", RECEIVED, "--dry-run")
    assert (code, told["new"], told["rejected"], len(told["records_shown"])) == (1, 2, 1, 2)
    assert not importing.read("signals")
    assert not list(tmp_path.glob("*.rejects.csv"))


def test_killed_in_the_middle_and_run_again_it_loses_and_doubles_nothing(
    importing: Importing, tmp_path: Path
) -> None:
    profile = own_profile(tmp_path)
    count = 20_000
    rows = [["0344", f"S{number}", bsn_of(number), "100,50", "09-02-2026"] for number in range(count)]
    file = write_csv(tmp_path / "signalen.csv", rows)
    consumer = KafkaConsumer(
        importing.prefix + "import-ledger",
        bootstrap_servers=importing.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    for _ in range(2):
        process = importing.start(profile, str(file), "--received-at", RECEIVED)
        # Between two of its transactions, or in the middle of one.
        while process.poll() is None and not consumer.poll(timeout_ms=200):
            pass
        assert process.poll() is None, process.communicate()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    consumer.close()
    sent_before = len(importing.read("signals"))
    code, (told,), err = importing.run(profile, str(file), "--received-at", RECEIVED)
    assert code == 0, err
    assert 0 < sent_before < count
    assert (told["known"], told["new"]) == (sent_before, count - sent_before)
    assert signals_sent(importing) == Counter({f"S{number}": 1 for number in range(count)})


def test_a_state_export_tells_what_changed_since_the_last_one(importing: Importing, tmp_path: Path) -> None:
    sample = (SAMPLES / "stratech.csv").read_text("utf-8-sig")
    file = tmp_path / "trajecten.csv"
    file.write_text(sample, "utf-8")
    importing.run("stratech", str(file))
    first = len(importing.read("trajectories"))
    again = importing.run("stratech", str(file))
    changed = sample.replace(";01-10-2025;;nee", ";01-10-2025;31-01-2026;nee").replace(
        ";ja;01-10-2025;;", ";ja;01-10-2025;31-01-2026;"
    )
    assert changed != sample
    file.write_text(changed, "utf-8")
    importing.run("stratech", str(file))
    kinds = [dict(record.headers)["ce_type"] for record in importing.read("trajectories")]
    file.write_text(sample, "utf-8")
    old = importing.run("stratech", str(file))
    assert again[1][0]["new"] == 0
    assert len(kinds) == first + 1
    assert b"nl.schuldhulpverlening.traject-service-closed" in kinds
    assert old[1][0]["outdated"]
    assert len(importing.read("trajectories")) == first + 1


def test_what_a_complete_export_does_not_hold_any_more_is_withdrawn(
    importing: Importing, tmp_path: Path
) -> None:
    packaged = Path(__file__).parents[2] / "sources" / "profiles" / "stratech.toml"
    profile = tmp_path / "stratech.toml"
    profile.write_text(packaged.read_text("utf-8").replace("complete = false", "complete = true"), "utf-8")
    lines = (SAMPLES / "stratech.csv").read_text("utf-8-sig").splitlines(keepends=True)
    file = tmp_path / "trajecten.csv"
    file.write_text("".join(lines), "utf-8")
    importing.run(str(profile), str(file))
    file.write_text("".join(lines[:2]), "utf-8")
    code, (doubtful,), _ = importing.run(str(profile), str(file))
    assert (code, doubtful["withdrawn"]) == (1, 0)
    assert "1 of 2 trajectories" in doubtful["doubt"]
    code, (told,), _ = importing.run(str(profile), str(file), "--accept-vanished")
    assert (code, told["withdrawn"]) == (0, 1)
    kinds = [dict(record.headers)["ce_type"] for record in importing.read("trajectories")]
    assert kinds.count(b"nl.schuldhulpverlening.traject-withdrawn-in-error") == 1
    assert importing.run(str(profile), str(file))[1][0]["withdrawn"] == 0


def test_what_was_told_of_an_erased_trajectory_goes_and_does_not_come_back(
    importing: Importing, tmp_path: Path
) -> None:
    sample = (SAMPLES / "stratech.csv").read_text("utf-8-sig")
    file = tmp_path / "trajecten.csv"
    file.write_text(sample, "utf-8")
    importing.run("stratech", str(file))
    sent = len(importing.read("trajectories"))
    erased = TrajectoryState("0344", "STR-1", 2, True, "erasure", (), ())
    producer = KafkaProducer(bootstrap_servers=importing.bootstrap)
    state = codec("TrajectoryState").encode(erased)
    producer.send(importing.prefix + "trajectory-states", key=b"0344/STR-1", value=state).get(30)
    producer.close()
    changed = sample.replace("c-stratech", "c-ander")
    assert changed != sample
    file.write_text(changed, "utf-8")
    assert importing.run("stratech", str(file))[0] == 0
    importing.run("stratech", str(file))
    kept = {record.key: record.value for record in importing.read("import-states")}
    new = importing.read("trajectories")[sent:]
    assert {key: value is None for key, value in kept.items()} == {
        b"stratech/0344/STR-1": True,
        b"stratech/0344/STR-2": False,
    }
    assert {record.key for record in new} == {b"0344/STR-2"}


def test_no_internal_topic_of_the_importer_holds_a_person(importing: Importing) -> None:
    importing.run("stratech", str(SAMPLES / "stratech.csv"))
    importing.run("vps", str(SAMPLES / "vps.csv"))
    kept = b"".join(
        (record.key or b"") + record.value
        for topic in ("import-ledger", "import-states")
        for record in importing.read(topic)
    )
    assert kept
    for secret in (b"999990123", b"Testpersoon", b"3511", b"1980"):
        assert secret not in kept


def test_a_watched_folder_takes_what_settles_and_puts_it_away(importing: Importing, tmp_path: Path) -> None:
    profile, folder = own_profile(tmp_path), tmp_path / "drop"
    folder.mkdir()
    write_csv(folder / "een.csv", signal_rows(range(3)))
    (folder / "kapot.csv").write_bytes(b"\xff\xfe\x00rommel")
    write_csv(folder / "bezig.csv.part", signal_rows([8]))
    process = importing.start(profile, str(folder), "--watch", "--settle-s", "0.2", "--received-at", RECEIVED)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(list(folder.glob("*/*.csv"))) < 3:
            assert process.poll() is None, process.communicate()
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert [file.name[13:] for file in (folder / "done").iterdir()] == ["een.csv"]
    assert sorted(file.name[13:] for file in (folder / "quarantine").iterdir()) == [
        "kapot.csv",
        "kapot.csv.rejects.csv",
    ]
    assert [file.name for file in folder.iterdir() if file.is_file()] == ["bezig.csv.part"]
    assert signals_sent(importing) == Counter({f"S{number}": 1 for number in range(3)})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nergens", "x.csv"], "no such profile; there are allegro"),
        (["vps"], "give a file or a folder"),
        (["vps", "nergens.csv"], "there is no such file"),
        (["vps", ".", "--watch", "--dry-run"], "--watch needs a folder"),
        (["vps", ".", "--municipality", "0344"], "reads it from the export"),
        (["vps", ".", "--received-at", "gisteren"], "--received-at must be a timestamp"),
    ],
)
def test_what_cannot_be_asked_says_what_to_do(importing: Importing, arguments: list[str], said: str) -> None:
    code, reports, err = importing.run(*arguments)
    assert (code, reports) == (2, [])
    assert said in err
