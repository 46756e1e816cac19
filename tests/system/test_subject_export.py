"""An export holds everything of one resident, from every place, and nothing of a second person (AVG 15)."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.schemas.signal import Subject
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks.database import open_engine
from sqlalchemy import text

from tests.system.installation import Installation
from tests.system.rights import MUNICIPALITY, Rights, bsns, event, signal

pytestmark = pytest.mark.timeout(600)

ANNA_BSN, BRAM_BSN, CEES_BSN, DORA_BSN = bsns(4)
HOME = {"postcode": "3511AB", "house_number": 12}
ANNA = {"bsn": ANNA_BSN, **HOME, "birth_date": "1980-05-17", "surname": "Kanariean", "phone": "+31600000011"}
BRAM = {"bsn": BRAM_BSN, **HOME, "birth_date": "1979-11-02", "surname": "Kanariebr", "phone": "+31600000022"}
HOUSEMATE = {**HOME, "birth_date": "2001-01-01", "surname": "Kanariehu", "phone": "+31600000033"}
STRANGER = {"bsn": DORA_BSN, "postcode": "3599ZZ", "house_number": 9, "surname": "Kanarievr"}
DAY = "2026-02-10T10:00:00Z"
OF_ANNA = (
    "sig-anna-bsn",
    "sig-anna-addr",
    "sig-anna-bad",
    "T-couple",
    "T-anna",
    "REF-ANNA",
    ANNA_BSN,
    "Kanariean",
)
OF_OTHERS = (
    *("sig-bram", "sig-house", "sig-alone", "sig-dora", "sig-bram-bad", "T-dora", "REF-BRAM", "REF-HOUSE"),
    *(BRAM_BSN, DORA_BSN, "Kanariebr", "Kanariehu", "Kanarievr", "+31600000022", "+31600000033"),
    *("1979-11-02", "2001-01-01", "e-objects-bram"),
)


def seeded(product: Installation) -> None:
    product.start("worker")
    product.start("sink")
    product.publish(
        [
            event("T-couple", "APPLIED", 1, "2026-01-05T10:00:00Z", clients=[ANNA, BRAM]),
            event("T-anna", "APPLIED", 1, "2026-01-06T10:00:00Z", clients=[ANNA]),
            event("T-dora", "APPLIED", 1, "2026-01-06T10:00:00Z", clients=[STRANGER]),
            event(
                "T-couple",
                "OBJECTION_LODGED",
                2,
                "2026-01-07T10:00:00Z",
                clients=[BRAM],
                event_id="e-objects-bram",
            ),
        ]
    )
    product.settle()
    product.publish(
        [
            signal("sig-anna-bsn", ANNA, DAY, customer_reference="REF-ANNA"),
            signal("sig-anna-addr", {**HOME, "birth_date": ANNA["birth_date"], "surname": "Kanariean"}, DAY),
            signal("sig-anna-bad", ANNA, DAY, arrears="0.00"),
            signal("sig-bram", BRAM, DAY, customer_reference="REF-BRAM"),
            signal("sig-bram-bad", BRAM, DAY, arrears="0.00"),
            signal("sig-house", HOUSEMATE, DAY, customer_reference="REF-HOUSE"),
            signal("sig-alone", HOME, DAY),
            signal("sig-dora", STRANGER, DAY),
        ]
    )
    product.settle(sink=True)


def hashes(product: Installation, person: dict[str, Any]) -> list[str]:
    """The keyed hashes of a person that only he has, as JSON writes bytes."""
    keys = LocalKeys(product.folder / "keys").pseudonym_keys(MUNICIPALITY)
    said = keys.pseudonym(Subject(bsn=person["bsn"], surname=person["surname"]))
    return [base64.b64encode(one).decode() for one in (said.bsn, said.surname) if one is not None]


def test_everything_of_one_and_nothing_of_a_second_person(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    product = install(partitions=2)
    seeded(product)
    rights = Rights(product)
    content, page = rights.export({"bsn": ANNA_BSN}, tmp_path / "out")
    whole = json.dumps(content, ensure_ascii=False)
    missing = [one for one in OF_ANNA if one not in whole]
    leaked = [one for one in (*OF_OTHERS, *hashes(product, BRAM)) if one in whole or one in page]
    assert (missing, leaked) == ([], [])
    assert content["by_address_only"] == 1
    held = {topic for topic, records in content["topics"].items() if records}
    expected = {
        *("signals", "trajectories", "resident-events", "trajectory-states", "decisions"),
        *("counsellor-followup", "dead-letters", "tasks"),
    }
    assert expected <= held
    assert len([topic for topic in held if topic.endswith("-changelog")]) == 4
    assert [one["original"]["signal_id"] for one in content["dead_letters"]] == ["sig-anna-bad"]
    for table in ("decisions", "trajectories", "tasks", "found"):
        assert content["database"][table], table
    assert 'lang="nl"' in page
    assert "sig-anna-bsn" in page
    with open_engine(product.database_url, name="test").connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM subject_requests")).all()
    assert (row.kind, row.asked_by, row.ground) == ("EXPORT", "po-3", "AVG 15")
    assert row.found["signals"] == 2
    assert not any(one in json.dumps(row.found) for one in OF_ANNA)
