"""What a registry holds becomes the ids on the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
from signaalwissel.processors.contract_topics import (
    RECORD_ON,
    Registered,
    committed_on,
    gaps_of,
    ids_from,
    record_on,
    strangers,
)
from signaalwissel.schemas.contract import (
    codec,
    public_versions,
    record_name,
    record_names,
    use_registry_ids,
)
from signaalwissel.schemas.errors import UnknownSchemaId
from signaalwissel.schemas.sameness import same_schema
from signaalwissel.schemas.wire_format import schema_id_of

from tests.schemas.golden import full_json


def held(first: int) -> dict[str, list[Registered]]:
    """A registry whose ids begin at `first`; one id for one schema."""
    every = dict.fromkeys((one.name, one.version) for topic in RECORD_ON for one in committed_on(topic))
    ids = {schema: first + number for number, schema in enumerate(every)}
    return {
        topic: [
            Registered(one.version, ids[one.name, one.version], one.schema) for one in committed_on(topic)
        ]
        for topic in RECORD_ON
    }


@pytest.fixture(autouse=True)
def _fixed_ids_afterwards() -> Iterator[None]:
    yield
    use_registry_ids({})


def test_every_public_record_is_on_a_topic_and_nothing_else() -> None:
    assert set(RECORD_ON.values()) == {version.name for version in public_versions()}


def test_a_publishers_own_topic_has_the_record_of_its_kind() -> None:
    assert record_on("signals.water-west") == "EarlySignal"


def test_what_is_written_bears_the_registrys_id_and_is_read_again() -> None:
    use_registry_ids(ids_from(held(5000), ()))
    for name in set(RECORD_ON.values()):
        record = codec(name).from_json(full_json(name))
        data = codec(name).encode(record)
        assert schema_id_of(data) >= 5000
        assert codec(name).decode(data) == record
        assert record_name(schema_id_of(data)) == name


def test_an_older_version_that_holds_a_record_is_written_with_its_own_id_of_the_registry() -> None:
    use_registry_ids(ids_from(held(5000), ()))
    full = codec("TaskUpdate").from_json(full_json("TaskUpdate"))
    plain = full._replace(assignee=None)
    written = [schema_id_of(codec("TaskUpdate").encode(one)) for one in (plain, full)]
    first, second = held(5000)["task-updates"]
    assert written == [first.schema_id, second.schema_id]
    assert codec("TaskUpdate").decode(codec("TaskUpdate").encode(plain)) == plain


def test_a_free_fixed_id_is_still_read_and_a_taken_one_is_refused() -> None:
    record = codec("EarlySignal").from_json(full_json("EarlySignal"))
    before = codec("EarlySignal").encode(record)
    use_registry_ids(ids_from(held(5000), [1]))
    assert codec("EarlySignal").decode(before) == record
    use_registry_ids(ids_from(held(5000), []))
    with pytest.raises(UnknownSchemaId, match="schema id 1 is not one of EarlySignal"):
        codec("EarlySignal").decode(before)


def test_records_of_our_own_topics_keep_their_fixed_ids() -> None:
    before = codec("Decision").header
    use_registry_ids(ids_from(held(5000), ()))
    assert codec("Decision").header == before


def test_a_number_that_a_record_of_our_own_has_too_names_both() -> None:
    use_registry_ids(ids_from(held(101), ()))
    assert record_names(101) == ("EarlySignal", "Decision")


def test_a_version_that_the_registry_lacks_is_named() -> None:
    (gap,) = gaps_of("signals-value", committed_on("signals"), [])
    assert gap.text() == "signals-value lacks EarlySignal version 1"


def test_a_schema_of_somebody_else_is_a_stranger() -> None:
    other = Registered(2, 9, {"type": "record", "name": "EarlySignal", "fields": []})
    mine = Registered(1, 8, committed_on("signals")[0].schema)
    assert strangers(committed_on("signals"), [mine, other]) == [other]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (
            {"type": "record", "name": "a.R", "doc": "x", "fields": [{"type": {"type": "int"}, "name": "n"}]},
            True,
        ),
        ({"type": "record", "name": "a.R", "fields": [{"name": "n", "type": "long"}]}, False),
        (
            {
                "type": "record",
                "name": "a.R",
                "fields": [{"name": "n", "type": {"type": "int", "logicalType": "date"}}],
            },
            False,
        ),
        ({"type": "nonsense"}, False),
    ],
)
def test_a_schema_is_the_same_whatever_its_text_but_not_with_another_meaning(other: Any, same: bool) -> None:
    one = {"type": "record", "name": "R", "namespace": "a", "fields": [{"name": "n", "type": "int"}]}
    assert same_schema(one, other) is same
