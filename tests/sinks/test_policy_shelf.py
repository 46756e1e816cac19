import pytest
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.policy_shelf import PolicyShelf
from signaalwissel.sinks.tables import policies
from sqlalchemy import Engine, select

from tests.processors.followup_support import POLICY, Desk, decision

OTHER = Policy.model_validate(POLICY.model_dump() | {"window": {"months": 7}})


@pytest.fixture
def engine(database_url: str) -> Engine:
    migrate(database_url)
    return open_engine(database_url, name="test")


def keep(engine: Engine, loaded: Policies) -> PolicyShelf:
    shelf = PolicyShelf(loaded)
    with engine.begin() as connection:
        shelf.keep(connection)
    return shelf


def test_every_policy_that_was_ever_loaded_is_kept_once(engine: Engine) -> None:
    keep(engine, Policies(POLICY))
    keep(engine, Policies(POLICY, {"0344": OTHER, "0363": OTHER}))
    with engine.connect() as connection:
        kept = set(connection.execute(select(policies.c.version)).scalars())
    assert kept == {POLICY.version, OTHER.version}


def test_a_policy_whose_file_is_gone_comes_from_the_database_the_same(engine: Engine) -> None:
    keep(engine, Policies(POLICY, {"0344": OTHER}))
    desk = Desk(OTHER)
    desk.follow(decision())
    with engine.connect() as connection:
        versions = PolicyShelf(Policies(POLICY)).versions(connection, [desk.only])
    found = versions[desk.only.policy_version]
    assert found == OTHER
    assert found.version == OTHER.version


def test_a_policy_that_nobody_kept_is_missing(engine: Engine) -> None:
    desk = Desk(OTHER)
    desk.follow(decision())
    with engine.connect() as connection:
        assert OTHER.version not in PolicyShelf(Policies(POLICY)).versions(connection, [desk.only])
