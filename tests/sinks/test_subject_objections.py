"""What is kept of withdrawn objections is told to whom it is about, and goes when he is erased."""

from datetime import date
from pathlib import Path

import pytest
from signaalwissel.processors.subject import Person
from signaalwissel.sinks.subject_objections import forget_withdrawn, kept_of_person
from signaalwissel.sinks.subject_tables import objections

from tests.processors.followup_support import MUNICIPALITY
from tests.sinks.retention_support import Archive, objection

WITHDRAWN = date(2025, 8, 31)
OWN = bytes(32)
HIM = Person(MUNICIPALITY, b"his bsn", None, frozenset(), frozenset({OWN}))
AGAIN = Person(MUNICIPALITY, None, None, frozenset(), frozenset({OWN}))
"""As the erasure ledger knows him."""
OTHER = Person(MUNICIPALITY, b"another", None, frozenset(), frozenset({b"\x01" * 32}))


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    made = Archive(database_url, tmp_path)
    for withdrawn in (None, WITHDRAWN):
        objection(made, withdrawn)
    with made.engine.begin() as connection:
        connection.execute(objections.update().values(bsn=b"his bsn", match_keys=[OWN]))
    return made


def days(archive: Archive, person: Person) -> set[date | None]:
    with archive.engine.connect() as connection:
        return {withdrawn_on for _, withdrawn_on in kept_of_person(connection, person)}


def test_a_resident_is_told_of_all_that_is_kept(archive: Archive) -> None:
    assert days(archive, HIM) == {None, WITHDRAWN}
    assert days(archive, OTHER) == set()


@pytest.mark.parametrize("person", [HIM, AGAIN], ids=["erased", "erased again after a restore"])
def test_an_erasure_takes_the_withdrawn_ones_and_leaves_what_stands(archive: Archive, person: Person) -> None:
    with archive.engine.begin() as connection:
        forget_withdrawn(connection, OTHER)
    assert days(archive, HIM) == {None, WITHDRAWN}
    with archive.engine.begin() as connection:
        forget_withdrawn(connection, person)
    assert days(archive, HIM) == {None}
