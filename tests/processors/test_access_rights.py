"""The table of rights says what the design says; the broker is tried against it in tests/secured."""

import pytest
from signaalwissel.processors.access_rights import (
    INTAKE_APP,
    MATCHER_APP,
    Kind,
    Operation,
    Right,
    Role,
    allowed,
    every_topic,
    rights_of,
    roles,
)
from signaalwissel.processors.principals import Principals
from signaalwissel.streams.topics import Names, layout

OWN = ("signals.water-west", "trajectories.casus", "signals.casus")
TOLD = ("feedback.water-west", "feedback.casus")
INPUTS = (*OWN, *TOLD)
TABLE = roles(Principals(), INPUTS)
RIGHTS = rights_of(TABLE)
PLAIN_TEXT = ("signals", "trajectories", "signals-moved", "trajectories-moved", *OWN)
"""Topics on which residents stand in the clear."""
INTERNAL = ("resident-events", "trajectory-states", "decisions")


def may(principal: str, operation: Operation, topic: str) -> bool:
    return allowed(RIGHTS[principal], Kind.TOPIC, topic, operation)


def who_may(operation: Operation, topic: str) -> set[str]:
    return {principal for principal in RIGHTS if may(principal, operation, topic)}


@pytest.mark.parametrize("topic", PLAIN_TEXT)
def test_nobody_but_intake_and_who_tells_residents_what_is_held_reads_what_is_in_the_clear(
    topic: str,
) -> None:
    assert who_may(Operation.READ, topic) == {"signaalwissel-intake", "signaalwissel-privacy"}


@pytest.mark.parametrize(
    ("topic", "writers"),
    [
        ("resident-events", {"intake", "sink", "operator"}),
        ("trajectory-states", {"intake"}),
        ("decisions", {"matcher"}),
        ("counsellor-followup", {"matcher"}),
        ("regular-flow", {"matcher"}),
        ("counsellor-corrections", {"matcher"}),
        ("regular-corrections", {"matcher"}),
        ("tasks", {"sink"}),
        ("notices", {"sink"}),
        ("dead-letters", {"intake", "matcher"}),
        ("intake-commands", {"sink", "operator"}),
    ],
)
def test_each_topic_has_its_writers_and_no_others(topic: str, writers: set[str]) -> None:
    assert who_may(Operation.WRITE, topic) == {f"signaalwissel-{writer}" for writer in writers}


@pytest.mark.parametrize("topic", every_topic(INPUTS))
def test_the_pages_write_what_others_publish_and_read_no_record(topic: str) -> None:
    published = topic.partition(".")[0] in {"signals", "trajectories", "task-updates"}
    assert may("signaalwissel-web", Operation.WRITE, topic) is published
    assert not may("signaalwissel-web", Operation.READ, topic)
    assert may("signaalwissel-web", Operation.DESCRIBE_CONFIGS, topic)


def test_a_publisher_who_is_told_reads_his_own_feedback_and_nothing_else() -> None:
    assert RIGHTS["publisher-water-west"] == {
        Right(Kind.TOPIC, "signals.water-west", Operation.WRITE),
        Right(Kind.TOPIC, "feedback.water-west", Operation.READ),
        Right(Kind.GROUP, "feedback.water-west", Operation.READ),
    }
    assert not may("publisher-water-west", Operation.DESCRIBE, "feedback.casus")


@pytest.mark.parametrize("topic", TOLD)
def test_partners_are_told_by_the_sink_and_the_regular_side(topic: str) -> None:
    publisher = topic.partition(".")[2]
    assert who_may(Operation.WRITE, topic) == {"signaalwissel-sink", "early-signalling"}
    readers = {"signaalwissel-sink", "signaalwissel-privacy", f"publisher-{publisher}"}
    assert who_may(Operation.READ, topic) == readers


def test_a_publisher_writes_its_own_topics_and_reads_nothing() -> None:
    rights = rights_of(roles(Principals(), OWN))
    assert rights["publisher-water-west"] == {Right(Kind.TOPIC, "signals.water-west", Operation.WRITE)}
    assert rights["publisher-casus"] == {
        Right(Kind.TOPIC, "signals.casus", Operation.WRITE),
        Right(Kind.TOPIC, "trajectories.casus", Operation.WRITE),
    }


@pytest.mark.parametrize(
    "topic", ["counsellor-followup", "counsellor-corrections", "decisions", "tasks", "notices", *INTERNAL]
)
def test_the_early_signalling_side_never_learns_of_a_hit(topic: str) -> None:
    assert not may("early-signalling", Operation.DESCRIBE, topic)


def test_a_task_system_reads_its_work_and_writes_updates() -> None:
    read = {topic for topic in every_topic(INPUTS) if may("task-system", Operation.READ, topic)}
    written = {topic for topic in every_topic(INPUTS) if may("task-system", Operation.WRITE, topic)}
    assert read == {"counsellor-followup", "counsellor-corrections", "tasks", "notices"}
    assert written == {"task-updates"}
    assert allowed(RIGHTS["task-system"], Kind.GROUP, "task-system", Operation.READ)
    assert not allowed(RIGHTS["task-system"], Kind.GROUP, "early-signalling", Operation.DESCRIBE)


@pytest.mark.parametrize("principal", sorted(RIGHTS))
def test_nobody_deletes_a_topic_or_changes_the_access_lists(principal: str) -> None:
    for topic in every_topic(INPUTS):
        assert not may(principal, Operation.DELETE, topic)
        assert not may(principal, Operation.ALTER, topic)
    assert not allowed(RIGHTS[principal], Kind.CLUSTER, "kafka-cluster", Operation.ALTER)


def test_the_exporter_sees_offsets_and_no_record() -> None:
    assert {right.operation for right in RIGHTS["signaalwissel-exporter"]} == {Operation.DESCRIBE}


@pytest.mark.parametrize("app", [INTAKE_APP, MATCHER_APP])
def test_an_app_of_the_worker_has_its_own_transactional_ids_and_group_only(app: str) -> None:
    other = MATCHER_APP if app == INTAKE_APP else INTAKE_APP
    rights = RIGHTS[app]
    assert allowed(rights, Kind.TRANSACTIONAL_ID, f"{app}-3", Operation.WRITE)
    assert not allowed(rights, Kind.TRANSACTIONAL_ID, f"{other}-3", Operation.DESCRIBE)
    assert not allowed(rights, Kind.GROUP, other, Operation.DESCRIBE)


def test_the_table_knows_every_topic_that_is_made_and_no_other() -> None:
    names = Names("", INPUTS)
    assert set(every_topic(INPUTS)) == {topic.name for topic in layout(names, 1)}
    assert (names.intake_app, names.matcher_app) == (INTAKE_APP, MATCHER_APP)


def test_every_right_is_about_something_that_there_is() -> None:
    topics = {right.name for role in TABLE for right in role.rights if right.kind is Kind.TOPIC}
    assert topics <= set(every_topic(INPUTS))


def test_every_topic_has_a_writer_and_a_reader_among_those_named() -> None:
    for topic in every_topic(INPUTS):
        assert who_may(Operation.WRITE, topic), topic
        assert who_may(Operation.READ, topic), topic


def test_who_has_two_roles_has_the_rights_of_both() -> None:
    both = Principals(roles={"intake": ("worker",), "matcher": ("worker",)})
    rights = rights_of(roles(both, INPUTS))
    assert rights["worker"] == RIGHTS["signaalwissel-intake"] | RIGHTS["signaalwissel-matcher"]
    assert "signaalwissel-intake" not in rights


def test_a_role_that_nobody_has_gives_nobody_a_right() -> None:
    rights = rights_of(roles(Principals(roles={"gateway": ()}), INPUTS))
    assert "signaalwissel-gateway" not in rights


@pytest.mark.parametrize(
    ("right", "asked", "is_allowed"),
    [
        (Operation.READ, Operation.DESCRIBE, True),
        (Operation.WRITE, Operation.DESCRIBE, True),
        (Operation.ALTER_CONFIGS, Operation.DESCRIBE_CONFIGS, True),
        (Operation.DESCRIBE, Operation.READ, False),
        (Operation.CREATE, Operation.DESCRIBE, False),
        (Operation.READ, Operation.DESCRIBE_CONFIGS, False),
        (Operation.READ, Operation.WRITE, False),
    ],
)
def test_some_rights_bring_another_one_with_them(
    right: Operation, asked: Operation, is_allowed: bool
) -> None:
    assert allowed([Right(Kind.TOPIC, "t", right)], Kind.TOPIC, "t", asked) is is_allowed


def test_a_right_on_names_that_begin_so_is_no_right_on_others() -> None:
    right = Right(Kind.TRANSACTIONAL_ID, "app-", Operation.WRITE, begins=True)
    assert allowed([right], Kind.TRANSACTIONAL_ID, "app-0", Operation.WRITE)
    assert not allowed([right], Kind.TRANSACTIONAL_ID, "ap", Operation.WRITE)
    assert not allowed([right], Kind.TOPIC, "app-0", Operation.WRITE)


def test_every_role_says_why() -> None:
    assert all(isinstance(role, Role) and role.why.endswith(".") for role in TABLE)
