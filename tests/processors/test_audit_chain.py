"""The form of what is hashed is for good: these digests were computed once and may never change."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.audit_chain import (
    BEGINNING,
    COVERED,
    Block,
    BlockKind,
    Head,
    Link,
    as_written,
    block_hash,
    links_findings,
    row_digests,
    row_id,
)

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
STEP = ("task-1", 0, AT, "OPENED", None, "ü")


def chain(count: int) -> list[Link]:
    links: list[Link] = []
    for seq in range(1, count + 1):
        previous = links[-1].hash if links else BEGINNING
        (digest,) = row_digests("task_history", [("task-1", seq, AT, "OPENED", None, None)])
        ids = (f"task-1/{seq}",)
        block = Block(seq, "sink/0", seq, AT, BlockKind.RECORDED, "task_history", None, ids, digest, previous)
        links.append(Link(block, block_hash(block)))
    return links


def end(links: list[Link]) -> Head:
    return Head(links[-1].block.seq, links[-1].hash)


def test_the_digest_of_a_row_stays_what_it_was() -> None:
    (digest,) = row_digests("task_history", [STEP])
    assert digest.hex() == "4c1328ad688983ab37b2f89d334a513371686530127f579887b8824b455a97e1"


def test_the_hash_of_a_block_stays_what_it_was() -> None:
    assert chain(2)[1].hash.hex() == "269b3fe310fba35bef493c1b199a478a81726b189455fd7125c67bc0db72d49c"


def test_a_row_reads_the_same_as_it_was_written() -> None:
    amsterdam = timezone(timedelta(hours=1))
    written = ("1", AT, "KIND", None, "actor", "about", b"t", '{"a": 1, "b": "é"}'.replace("é", "\\u00e9"))
    read = (1, AT.astimezone(amsterdam), "KIND", None, "actor", "about", memoryview(b"t"), {"b": "é", "a": 1})
    assert list(row_digests("audit_events", [written])) == list(
        row_digests("audit_events", [as_written(read)])
    )


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\x00"), max_size=4), min_size=2, max_size=2, unique=True))  # fmt: skip
def test_two_rows_never_have_one_digest(texts: list[str]) -> None:
    first, second = texts
    rows = [
        (first, 0, AT, second, None, None),
        (second, 0, AT, first, None, None),
        (first, 0, AT, second, "", None),
    ]
    assert len(set(row_digests("task_history", rows))) == 3


def test_null_is_not_the_text_of_it() -> None:
    null, said = STEP, (*STEP[:4], "None", STEP[5])
    assert list(row_digests("task_history", [null])) != list(row_digests("task_history", [said]))


def test_a_column_that_is_added_later_and_null_changes_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    row = (*STEP[:5], None)
    before = list(row_digests("task_history", [row]))
    more = {"task_history": (*COVERED["task_history"], "added")}
    monkeypatch.setattr("signaalwissel.processors.audit_chain.COVERED", more)
    assert list(row_digests("task_history", [(*row, None)])) == before


def test_a_date_and_the_text_of_it_differ_from_null_alone() -> None:
    step = ("task-1", 0, AT, "OPENED", date(2026, 3, 2), None)
    assert list(row_digests("task_history", [step])) != list(row_digests("task_history", [STEP]))


def test_a_row_is_named_by_its_keys() -> None:
    assert row_id("task_history", STEP) == "task-1/0"


def test_a_chain_as_it_was_written_has_nothing_wrong() -> None:
    links = chain(4)
    assert links_findings("sink/0", links, end(links), Head(2, links[1].hash)) == []


@given(st.data())
def test_whatever_block_is_taken_out_is_named(data: st.DataObject) -> None:
    links = chain(5)
    gone = data.draw(st.integers(0, 4))
    found = links_findings("sink/0", [*links[:gone], *links[gone + 1 :]], end(links), None)
    assert found == [f"block {gone + 1} of chain sink/0: missing"]


def test_a_block_made_anew_in_the_middle_does_not_fit_the_next() -> None:
    links = chain(3)
    forged = links[1].block._replace(ids=("task-1/9",))
    found = links_findings("sink/0", [links[0], Link(forged, block_hash(forged)), links[2]], end(links), None)
    assert found == [
        "block 3 of chain sink/0: does not follow block 2; one of the two was replaced or reordered"
    ]


def test_digests_that_are_not_as_many_as_ids_are_an_alteration() -> None:
    block = chain(1)[0].block._replace(digests=b"")
    link = Link(block, block_hash(block))
    assert links_findings("sink/0", [link], Head(1, link.hash), None) == ["block 1 of chain sink/0: altered"]
