"""Migrations leave the version before at work: they add, or say that programs as old as that are not taken any more."""

import re
from pathlib import Path

import pytest
from signaalwissel.sinks.schema_upgrade import MIGRATIONS

FLOOR = "signaalwissel_oldest_program"
RULED = sorted(script for script in (MIGRATIONS / "versions").glob("[0-9]*.py") if script.name >= "0012")
# Those before made theirs while nothing had been released.
ONLINE = [script for script in RULED if script.name >= "0018"]
STOPS_WRITERS = re.compile(r"CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)|op\.create_index", re.IGNORECASE)
TAKES_AWAY = re.compile(
    r"drop_table|drop_column|alter_column|rename_table|DROP\s+(TABLE|COLUMN|FUNCTION)|RENAME|SET\s+NOT\s+NULL"
    r"|ALTER\s+COLUMN|nullable=False\)(?!.*server_default)",
    re.IGNORECASE,
)


def takes_away(script: str) -> bool:
    """Whether the way up of a migration takes away or narrows what an older program may use."""
    up = script.split("def upgrade")[1].split("def downgrade", maxsplit=1)[0]
    return bool(TAKES_AWAY.search(_without_new_tables(up)))


def _without_new_tables(script: str) -> str:
    """What is left without the calls that make a table: of that, nothing is there for an older program."""
    before, made, behind = script.partition("op.create_table(")
    if not made:
        return script
    depth = 1
    for place, sign in enumerate(behind):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return before + _without_new_tables(behind[place + 1 :])
    raise ValueError("a call without its end")


@pytest.mark.parametrize("script", RULED, ids=lambda script: script.stem)
def test_a_migration_adds_only_or_raises_which_programs_the_database_takes(script: Path) -> None:
    content = script.read_text("utf-8")
    assert not takes_away(content) or FLOOR in content


@pytest.mark.parametrize("script", ONLINE, ids=lambda script: script.stem)
def test_a_migration_makes_no_index_that_stops_those_who_write(script: Path) -> None:
    assert not STOPS_WRITERS.search(script.read_text("utf-8").split("def downgrade")[0])


@pytest.mark.parametrize(
    "statement",
    [
        'op.execute("CREATE INDEX ix_tasks_rung ON tasks (rung)")',
        'op.execute("create unique index ix_tasks_rung ON tasks (rung)")',
        'op.create_index("ix_tasks_rung", "tasks", ["rung"])',
    ],
)
def test_an_index_that_stops_those_who_write_is_seen(statement: str) -> None:
    assert STOPS_WRITERS.search(statement)


@pytest.mark.parametrize(
    "statement",
    [
        'op.drop_column("tasks", "rung")',
        'op.execute("ALTER TABLE tasks RENAME COLUMN rung TO step")',
        'op.execute("ALTER TABLE tasks ALTER COLUMN rung SET NOT NULL")',
        'op.add_column("tasks", sa.Column("weight", sa.Integer(), nullable=False))',
    ],
)
def test_what_takes_away_is_seen(statement: str) -> None:
    assert takes_away(f"def upgrade() -> None:\n    {statement}\n\ndef downgrade() -> None:\n    pass\n")


@pytest.mark.parametrize(
    "statement",
    [
        'op.create_table("added", sa.Column("id", sa.Integer(), nullable=False))',
        'op.execute("CREATE INDEX ix_tasks_rung ON tasks (rung)")',
        'op.add_column("tasks", sa.Column("weight", sa.Integer()))',
    ],
)
def test_what_adds_is_let_through(statement: str) -> None:
    assert not takes_away(
        f"def upgrade() -> None:\n    {statement}\n\ndef downgrade() -> None:\n    op.drop_table('x')\n"
    )
