"""The catalogue behind the DPIA facts covers the contract, the database and the topics: what is new must be judged."""

import json
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.processors.privacy_natures import Nature
from signaalwissel.processors.privacy_records import RECORDS
from signaalwissel.processors.privacy_stores import (
    DATABASE,
    FIELDS,
    POLICY,
    STATES,
    TOPICS,
    Term,
    facts,
    kept,
)
from signaalwissel.processors.privacy_tables import TABLES
from signaalwissel.sinks.every_table import METADATA
from signaalwissel.sinks.row_security import OF_A_MUNICIPALITY, OF_A_TASK, OF_THE_AUDIT
from signaalwissel.streams.topics import Names, layout

from tests.processors.privacy_support import filled_policy

SCHEMAS = Path(__file__).parents[2] / "schemas"
DAY_MS = 24 * 60 * 60 * 1000
# Written in the clear: what a partner, a case system or a person sends, and what lies inside a seal.
IN_THE_CLEAR = {"EarlySignal", "TrajectoryEvent", "SealedSubject", "SealedClients", "OriginalRecord"}


def leaves(schema: Any, path: str, named: dict[str, Any]) -> list[str]:
    """Paths of all fields of a schema that hold a value of their own."""
    if isinstance(schema, list):
        return [leaf for branch in schema if branch != "null" for leaf in leaves(branch, path, named)]
    if isinstance(schema, str):
        return leaves(named[schema], path, named) if schema in named else [path]
    kind = schema["type"]
    if kind == "record":
        named[schema["name"]] = schema
        return [
            leaf
            for field in schema["fields"]
            for leaf in leaves(field["type"], f"{path}.{field['name']}".lstrip("."), named)
        ]
    if kind == "array":
        return leaves(schema["items"], path, named)
    if kind == "map":
        return leaves(schema["values"], path, named)
    if kind in ("enum", "fixed"):
        named[schema["name"]] = "string"
        return [path]
    return leaves(kind, path, named)


def catalogued(by_nature: Any) -> list[str]:
    return [name for names in by_nature.values() for name in names.split()]


def newest() -> dict[str, Path]:
    """The newest version of each schema."""
    files = sorted(SCHEMAS.glob("*.avsc"), key=lambda file: int(file.stem.split(".v")[1]))
    return {file.stem.split(".v")[0]: file for file in files}


def test_every_schema_is_catalogued() -> None:
    assert sorted(RECORDS) == sorted(newest()), "add or remove the record in processors/privacy_records.py"


@pytest.mark.parametrize("record", sorted(newest()))
def test_every_field_of_every_schema_is_catalogued_once(record: str) -> None:
    schema = json.loads(newest()[record].read_text("utf-8"))
    assert sorted(catalogued(RECORDS[record])) == sorted(leaves(schema, "", {})), (
        f"put the field of {record} under its nature in processors/privacy_records.py"
    )


def test_every_table_is_catalogued() -> None:
    names = sorted(METADATA.tables)
    assert sorted(TABLES) == names, "add the table to processors/privacy_tables.py"
    assert sorted(store.name for store in DATABASE) == names, "add the table to processors/privacy_stores.py"


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_every_column_is_catalogued_once(table: str) -> None:
    assert sorted(catalogued(TABLES[table])) == sorted(METADATA.tables[table].columns.keys()), (
        f"put the column of {table} under its nature in processors/privacy_tables.py"
    )


def test_every_topic_is_catalogued_with_the_retention_that_it_gets() -> None:
    by_term = {Term.WEEK: 7 * DAY_MS, Term.MONTH: 30 * DAY_MS, Term.LEDGER: 400 * DAY_MS}
    names = Names(publisher_topics=("feedback.partner",))
    made = {
        topic.name.removesuffix(".partner"): topic.config.get("retention.ms") for topic in layout(names, 1)
    }
    changelogs = {
        f"{app}-{store.name.split('/')[1]}-changelog"
        for store in STATES
        for app in ((names.intake_app,) if store.name.startswith("intake/") else (names.matcher_app,))
    }
    stores = {store.name: by_term.get(store.term) for store in TOPICS}
    assert stores.keys() | changelogs == made.keys()
    assert {name: made[name] and int(made[name] or 0) for name in stores} == stores


def test_every_record_lies_somewhere() -> None:
    assert {record for store in (*TOPICS, *STATES) for record in store.records} == FIELDS.keys()
    assert FIELDS.keys() - RECORDS.keys() == {POLICY}


def test_what_identifies_a_resident_lies_in_the_clear_on_inputs_and_inside_seals_only() -> None:
    clear = {record for record, by_nature in RECORDS.items() if Nature.IDENTIFYING in by_nature}
    assert clear == IN_THE_CLEAR
    assert not any(Nature.IDENTIFYING in by_nature for by_nature in TABLES.values())


def test_a_field_called_like_an_identity_is_never_judged_harmless() -> None:
    sensitive = {
        "bsn",
        "birth_date",
        "surname",
        "initials",
        "phone",
        "email",
        "postcode",
        "match_key",
        "sealed_subject",
    }
    harmless = {
        f"{record}.{name}"
        for record, by_nature in {**FIELDS, **TABLES}.items()
        for name in by_nature.get(Nature.NOT_PERSONAL, "").split()
        if name.split(".")[-1] in sensitive
    }
    assert harmless == set()


def test_every_fact_has_a_place_a_period_and_somebody() -> None:
    found = list(facts(filled_policy()))
    assert len(found) == len(set(found))
    assert all(fact.store and fact.kept and fact.writers and fact.readers for fact in found)
    assert {fact.store for fact in found} == {store.name for store in (*TOPICS, *STATES, *DATABASE)}


def test_every_term_is_told() -> None:
    told = [kept(term, filled_policy()) for term in Term]
    assert len(set(told)) == len(Term)


def test_what_the_pages_and_the_gateway_read_names_them_among_its_readers() -> None:
    readers = {store.name: store.readers for store in DATABASE}
    shown = {*OF_A_MUNICIPALITY, *OF_A_TASK, *OF_THE_AUDIT}
    silent = {name for name in shown if "webpagina" not in readers[name] and "gateway" not in readers[name]}
    assert silent == set()
