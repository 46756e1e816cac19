"""Every cell of the table of rights on a real secured cluster: what it says is allowed, all else is refused."""

from collections.abc import Iterator

import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from signaalwissel.console import acls, runtime, topics
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.kafka_cluster import ADMIN, Login
from signaalwissel.processors.access_rights import (
    FEEDBACK_ID,
    INTAKE_APP,
    MATCHER_APP,
    Kind,
    Operation,
    Right,
    allowed,
    every_topic,
)
from signaalwissel.streams.topics import layout

from tests.secured.cells import Cell, Trials, cells
from tests.secured.secured_support import (
    INPUTS,
    PRINCIPALS,
    PUBLISHERS,
    STRANGER,
    TOLD,
    Secured,
    settled,
)

PREFIX = "rights-"
FOREIGN = "somebody-elses"
TOPICS = (*(PREFIX + topic for topic in every_topic(INPUTS)), FOREIGN)
GROUPS = (
    *(PREFIX + group for group in (INTAKE_APP, MATCHER_APP, "task-system", "early-signalling", *TOLD)),
    FOREIGN,
)
IDS = (
    *(PREFIX + app + suffix for app in (INTAKE_APP, MATCHER_APP) for suffix in ("-0", "")),
    PREFIX + FEEDBACK_ID,
    FOREIGN,
)
EVERY_CELL = cells(TOPICS, GROUPS, IDS)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def prepared(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Topics of one partition each, the rights of the table, and a topic of somebody else; the operator's settings."""
    publishers = tmp_path_factory.mktemp("rights") / "publishers.toml"
    publishers.write_text(PUBLISHERS)
    settings = secured.settings(
        ADMIN, topic_prefix=PREFIX, publishers_file=publishers, partitions=1, replication_factor=3
    )
    with topics.admin(settings) as client:
        topics.make(client, layout(runtime.names(settings), 1), 3)
        client.create_topics(
            {FOREIGN: {"num_partitions": 1, "replication_factor": 3}}, wait_for_metadata=True
        )
        topics._mend_acls(client, settings, remove_surplus=False)
        settled(client, settings, 0)
    return settings


@pytest.fixture(scope="module")
def leaders(secured: Secured, prepared: Settings) -> dict[str, int]:
    with secured.client(ADMIN) as client:
        described = client.describe_topics(list(TOPICS))
    return {topic["name"]: topic["partitions"][0]["leader_id"] for topic in described}


def expected(rights: frozenset[Right]) -> frozenset[Cell]:
    """The cells that rights allow."""
    return frozenset(
        cell
        for cell in EVERY_CELL
        if (cell.kind is Kind.CLUSTER and allowed(rights, cell.kind, cell.name, cell.operation))
        or (
            cell.name.startswith(PREFIX)
            and allowed(rights, cell.kind, cell.name.removeprefix(PREFIX), cell.operation)
        )
    )


def told(found: frozenset[Cell]) -> Iterator[str]:
    return (f"{cell.operation} {cell.kind} {cell.name}" for cell in sorted(found))


@pytest.mark.parametrize("principal", [*PRINCIPALS, STRANGER])
def test_the_broker_allows_what_the_table_says_and_refuses_every_other_cell(
    secured: Secured, leaders: dict[str, int], principal: str
) -> None:
    rights = PRINCIPALS.get(principal, frozenset())
    with secured.client(principal) as client:
        may = EVERY_CELL - Trials(client, leaders).refused(EVERY_CELL)
    assert list(told(may - expected(rights))) == []
    assert list(told(expected(rights) - may)) == []


def test_a_partner_alone_reads_what_he_is_told_and_sink_and_regular_side_alone_write_it(
    secured: Secured, leaders: dict[str, int]
) -> None:
    asked = cells([PREFIX + topic for topic in TOLD], [], [])
    may: dict[tuple[str, Operation], set[str]] = {}
    for principal in (*PRINCIPALS, STRANGER):
        with secured.client(principal) as client:
            for cell in asked - Trials(client, leaders).refused(asked):
                may.setdefault((cell.name, cell.operation), set()).add(principal)
    for topic in TOLD:
        partner = f"publisher-{topic.removeprefix('feedback.')}"
        # The sink looks there for what it told; AVG 15: who exports for a resident reads what is held of him.
        readers = {partner, "signaalwissel-sink", "signaalwissel-privacy"}
        assert may[PREFIX + topic, Operation.READ] == readers
        assert may[PREFIX + topic, Operation.WRITE] == {"signaalwissel-sink", "early-signalling"}


def test_a_super_user_is_refused_nothing_so_a_refusal_is_about_rights(
    secured: Secured, leaders: dict[str, int]
) -> None:
    harmless = frozenset(cell for cell in EVERY_CELL if cell.operation is not Operation.DELETE)
    with secured.client(ADMIN) as client:
        assert Trials(client, leaders).refused(harmless) == frozenset()


@pytest.mark.parametrize("login", [Login.MTLS, Login.BOTH])
def test_the_same_name_has_the_same_rights_whichever_way_it_logs_in(
    secured: Secured, leaders: dict[str, int], login: Login
) -> None:
    principal = "publisher-water-west"
    with secured.client(principal, login) as client:
        may = EVERY_CELL - Trials(client, leaders).refused(EVERY_CELL)
    assert may == expected(PRINCIPALS[principal])


def test_a_right_that_is_not_in_the_table_is_shown_and_goes_only_with_the_flag(
    secured: Secured, prepared: Settings
) -> None:
    hole = ACL(
        f"User:{STRANGER}", "*", ACLOperation.READ, ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType.TOPIC, f"{PREFIX}signals"),
    )  # fmt: skip
    with topics.admin(prepared) as client:
        client.create_acls([hole])
        settled(client, prepared, 1)
        (shown,) = acls.acl_differences(client, prepared)
        assert "User:stranger: ALLOW READ on TOPIC rights-signals is not in the table" in shown.text()
        topics._mend_acls(client, prepared, remove_surplus=False)
        settled(client, prepared, 1)
        assert [one.what for one in acls.acl_differences(client, prepared)] == ["surplus"]
        topics._mend_acls(client, prepared, remove_surplus=True)
        settled(client, prepared, 0)


def test_a_right_on_every_topic_is_shown_and_left_to_a_person(secured: Secured, prepared: Settings) -> None:
    broad = ACL(
        f"User:{STRANGER}", "*", ACLOperation.READ, ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType.TOPIC, "*"),
    )  # fmt: skip
    with topics.admin(prepared) as client:
        client.create_acls([broad])
        try:
            settled(client, prepared, 1)
            topics._mend_acls(client, prepared, remove_surplus=True)
            assert [one.what for one in acls.acl_differences(client, prepared)] == ["elsewhere"]
        finally:
            client.delete_acls([broad])
            settled(client, prepared, 0)
