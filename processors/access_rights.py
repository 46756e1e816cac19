"""Access rights on Kafka: who may do what with which topic, group and transactional id; everything else is refused.

In: the principals of an installation and the publishers of its input topics. Out: one table of rights, from which the
broker's access lists, the table in docs/operations.md and the tests of every cell are made.

Source: least privilege (BIO, ASVS 5.0 13.2.2). A publisher writes its own topic and reads nothing, the early-signalling
side never learns that a signal went to a counsellor (design 2), and nobody but worker and sink reads what is internal.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.processors import emissions as topics
from signaalwissel.processors.principals import Principals

INTAKE_APP = "signaalwissel-intake"
MATCHER_APP = "signaalwissel-matcher"
SIGNALS_MOVED = "signals-moved"
TRAJECTORIES_MOVED = "trajectories-moved"
INTAKE_CHANGELOGS = tuple(
    f"{INTAKE_APP}-{table}-changelog" for table in ("trajectories", "signals", "rotations")
)
MATCHER_CHANGELOGS = (
    f"{MATCHER_APP}-trajectories-changelog",
    f"{MATCHER_APP}-recents-changelog",
    f"{MATCHER_APP}-policies-changelog",
    f"{MATCHER_APP}-rotations-changelog",
)
ROTATION_CHANGELOGS = (
    f"{INTAKE_APP}-rotations-changelog",
    f"{MATCHER_APP}-rotations-changelog",
    f"{MATCHER_APP}-recents-changelog",
)
"""What `keys rotate` reads to know how far a rotation is."""
IMPORT_IDS = "signaalwissel-import-"
FEEDBACK_ID = "signaalwissel-feedback"
"""Transactional id under which partners are told on their topics: who starts anew fences whoever had it."""


class Kind(StrEnum):
    """What a right is about."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional id"
    CLUSTER = "cluster"


class Operation(StrEnum):
    """What may be done, as Kafka names it."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DELETE = "Delete"
    ALTER = "Alter"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    ALTER_CONFIGS = "AlterConfigs"


class Right(NamedTuple):
    """One thing that somebody may do.

    Attributes:
        kind: What it is about.
        name: Of the topic, group or id, without the installation's prefix.
        operation: What may be done.
        begins: Whether it holds for every name that begins so.
    """

    kind: Kind
    name: str
    operation: Operation
    begins: bool = False


class Role(NamedTuple):
    """A kind of user, what it may do, and why.

    Attributes:
        name: What it is called in the principals file.
        why: For the table in the documentation.
        rights: Without prefix.
        principals: Who has it.
    """

    name: str
    why: str
    rights: frozenset[Right]
    principals: tuple[str, ...]


_IMPLIED: Mapping[Operation, frozenset[Operation]] = {
    Operation.DESCRIBE: frozenset(
        {Operation.READ, Operation.WRITE, Operation.DELETE, Operation.ALTER, Operation.DESCRIBE}
    ),
    Operation.DESCRIBE_CONFIGS: frozenset({Operation.ALTER_CONFIGS, Operation.DESCRIBE_CONFIGS}),
}
"""Which rights bring another one with them: Kafka's own rule."""

CLUSTER = "kafka-cluster"
"""Kafka's name of the one cluster; it takes no prefix."""


def roles(principals: Principals, input_topics: Iterable[str]) -> list[Role]:
    """Every role of an installation.

    Args:
        principals: Who has which role.
        input_topics: The publishers' topics, `signals.<publisher>`, `trajectories.<publisher>` and
            `feedback.<publisher>`, without prefix.
    """
    inputs = _Inputs(tuple(input_topics))
    named = {
        "intake": ("Reads what publishers write, keeps facts and deliveries.", _intake(inputs)),
        "matcher": ("Decides and routes.", _matcher()),
        "sink": (
            "Stores, publishes tasks, notices and commands; with Open Klant also task updates.",
            _sink(inputs),
        ),
        "gateway": ("Takes records over HTTP from who has no Kafka.", _gateway()),
        "web": (
            "The pages: task updates, dead letters of others' records offered again, and how far all is.",
            _web(inputs),
        ),
        "importer": ("Publishes exports of other systems, each row once.", _importer(inputs)),
        "privacy": (
            "Rights of residents: tells what is held; the sink sends what follows.",
            _privacy(inputs),
        ),
        "operator": (
            "Makes topics, looks, replays dead letters, rebuilds, erases again after a restore; reads no input.",
            _operator(inputs),
        ),
        "exporter": ("Monitoring: offsets and lag, no records.", _exporter(inputs)),
    }
    single = [Role(name, why, rights, principals.of(name)) for name, (why, rights) in named.items()]
    return [*single, *_publishers(principals, inputs), *_readers(principals, inputs)]


def rights_of(table: Iterable[Role]) -> dict[str, frozenset[Right]]:
    """The rights of each principal; one that has several roles has the rights of all of them."""
    found: dict[str, frozenset[Right]] = {}
    for role in table:
        for principal in role.principals:
            found[principal] = found.get(principal, frozenset()) | role.rights
    return found


def allowed(rights: Iterable[Right], kind: Kind, name: str, operation: Operation) -> bool:
    """Whether these rights let somebody do something with a topic, group or id; the broker must say the same."""
    enough = _IMPLIED.get(operation, frozenset({operation}))
    return any(
        right.kind is kind
        and right.operation in enough
        and (name.startswith(right.name) if right.begins else name == right.name)
        for right in rights
    )


class _Inputs(NamedTuple):
    """The publishers' topics."""

    topics: tuple[str, ...]

    def of(self, kind: str) -> tuple[str, ...]:
        """Those of a kind, the one that has no publisher of its own included."""
        return (kind, *(topic for topic in self.topics if topic.startswith(f"{kind}.")))

    def every(self) -> tuple[str, ...]:
        return (*self.of(topics.SIGNALS), *self.of(topics.TRAJECTORIES))

    def feedback(self) -> tuple[str, ...]:
        """Those on which partners are told: only publishers have one."""
        return tuple(topic for topic in self.topics if topic.startswith(f"{topics.FEEDBACK}."))

    def by_publisher(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for topic in sorted(self.topics):
            _, dot, publisher = topic.partition(".")
            if dot:
                found.setdefault(publisher, []).append(topic)
        return found


def _intake(inputs: _Inputs) -> frozenset[Right]:
    moved = (SIGNALS_MOVED, TRAJECTORIES_MOVED)
    written = (topics.RESIDENT_EVENTS, topics.TRAJECTORY_STATES, topics.DEAD_LETTERS, *moved)
    return frozenset(
        {
            *_worker(INTAKE_APP, (*inputs.every(), topics.INTAKE_COMMANDS, *moved), INTAKE_CHANGELOGS),
            *_written(written),
        }
    )


def _matcher() -> frozenset[Right]:
    written = (
        topics.COUNSELLOR_FOLLOWUP,
        topics.REGULAR_FLOW,
        topics.COUNSELLOR_CORRECTIONS,
        topics.REGULAR_CORRECTIONS,
        topics.DECISIONS,
        topics.DEAD_LETTERS,
    )
    return frozenset(
        {*_worker(MATCHER_APP, (topics.RESIDENT_EVENTS,), MATCHER_CHANGELOGS), *_written(written)}
    )


def _worker(app: str, inputs: Iterable[str], changelogs: Iterable[str]) -> Iterator[Right]:
    """What an app of the worker needs to read, remember and commit exactly once."""
    inputs, changelogs = tuple(inputs), tuple(changelogs)
    yield from _read((*inputs, *changelogs))
    yield from _written(changelogs)
    # It does not start on topics that are set otherwise than they must be.
    yield from _on((*inputs, *changelogs), Operation.DESCRIBE_CONFIGS)
    yield Right(Kind.GROUP, app, Operation.READ)
    yield Right(Kind.TRANSACTIONAL_ID, f"{app}-", Operation.WRITE, begins=True)


def _sink(publishers: _Inputs) -> frozenset[Right]:
    inputs = (topics.TRAJECTORY_STATES, topics.DECISIONS, topics.TASK_UPDATES, topics.DEAD_LETTERS)
    # What people ask for, such as an erasure, goes through the outbox too.
    commands = (topics.RESIDENT_EVENTS, topics.INTAKE_COMMANDS)
    written = (topics.TASKS, topics.NOTICES, topics.TASK_UPDATES, *commands)
    # It looks there for what it told before it was ended, or before its database was restored.
    feedback = publishers.feedback()
    told = (topics.TASKS, *feedback)
    return frozenset(
        {
            *_read((*inputs, *told)),
            *_on(inputs, Operation.DESCRIBE_CONFIGS),
            *_written((*written, *feedback)),
            Right(Kind.TRANSACTIONAL_ID, FEEDBACK_ID, Operation.WRITE),
        }
    )


def _gateway() -> frozenset[Right]:
    return _written((topics.SIGNALS, topics.TRAJECTORIES, topics.TASK_UPDATES))


def _web(inputs: _Inputs) -> frozenset[Right]:
    # The pages stand nearest to the outside: what is internal they do not write, and records they do not read.
    return frozenset({*_written((*inputs.every(), topics.TASK_UPDATES)), *_looks(inputs)})


def _looks(inputs: _Inputs) -> frozenset[Right]:
    """What it takes to tell whether the topics are as they must be and how far their readers are."""
    every = every_topic(inputs.topics)
    return frozenset(
        {
            *_on(every, Operation.DESCRIBE),
            *_on(every, Operation.DESCRIBE_CONFIGS),
            *(Right(Kind.GROUP, app, Operation.DESCRIBE) for app in (INTAKE_APP, MATCHER_APP)),
        }
    )


def _importer(inputs: _Inputs) -> frozenset[Right]:
    own = (topics.IMPORT_LEDGER, topics.IMPORT_STATES)
    return frozenset(
        {
            *_read((*own, topics.TRAJECTORY_STATES)),
            *_written((*inputs.every(), *own)),
            Right(Kind.TRANSACTIONAL_ID, IMPORT_IDS, Operation.WRITE, begins=True),
        }
    )


def _privacy(inputs: _Inputs) -> frozenset[Right]:
    # AVG 15: the resident is told everything that is held of him, wherever it lies.
    return _read(every_topic(inputs.topics))


def _operator(inputs: _Inputs) -> frozenset[Right]:
    mended = (*inputs.every(), topics.TASK_UPDATES, topics.INTAKE_COMMANDS, topics.RESIDENT_EVENTS)
    return frozenset(
        {
            *_written(mended),
            # `tasks` after a restore: who erases again must know which numbers readers have.
            *_read((topics.TRAJECTORY_STATES, topics.DEAD_LETTERS, topics.TASKS, *ROTATION_CHANGELOGS)),
            *(
                right
                for topic in every_topic(inputs.topics)
                for operation in (Operation.CREATE, Operation.ALTER_CONFIGS)
                for right in _on([topic], operation)
            ),
            *_looks(inputs),
            # To look at the access lists; to change them takes a super user.
            Right(Kind.CLUSTER, CLUSTER, Operation.DESCRIBE),
        }
    )


def _exporter(inputs: _Inputs) -> frozenset[Right]:
    return frozenset(
        {
            *_on(every_topic(inputs.topics), Operation.DESCRIBE),
            *(Right(Kind.GROUP, app, Operation.DESCRIBE) for app in (INTAKE_APP, MATCHER_APP)),
        }
    )


def every_topic(input_topics: Iterable[str]) -> tuple[str, ...]:
    """Every topic of the product, without prefix."""
    inputs = _Inputs(tuple(input_topics))
    return (
        *inputs.every(),
        SIGNALS_MOVED,
        TRAJECTORIES_MOVED,
        topics.INTAKE_COMMANDS,
        topics.TASK_UPDATES,
        topics.RESIDENT_EVENTS,
        topics.TRAJECTORY_STATES,
        topics.COUNSELLOR_FOLLOWUP,
        topics.REGULAR_FLOW,
        topics.COUNSELLOR_CORRECTIONS,
        topics.REGULAR_CORRECTIONS,
        topics.DECISIONS,
        topics.TASKS,
        topics.NOTICES,
        *inputs.feedback(),
        topics.DEAD_LETTERS,
        topics.IMPORT_LEDGER,
        topics.IMPORT_STATES,
        *INTAKE_CHANGELOGS,
        *MATCHER_CHANGELOGS,
    )


def _publishers(principals: Principals, inputs: _Inputs) -> Iterator[Role]:
    for publisher, own in inputs.by_publisher().items():
        told = [topic for topic in own if topic in inputs.feedback()]
        rights = _written(topic for topic in own if topic not in told)
        why = "Writes its own topic, reads nothing."
        if told:
            # The group has the topic's name: no other system's can be called so.
            rights = frozenset({*rights, *(right for topic in told for right in _consumer(topic, [topic]))})
            why = "Writes its own topics, reads what it is told of its own signals."
        yield Role(f"publisher {publisher}", why, rights, principals.of_publisher(publisher))


def _readers(principals: Principals, inputs: _Inputs) -> Iterator[Role]:
    """Who reads what was routed: each system in a group of its own name."""
    for system, who in principals.task_systems.items():
        read = (topics.COUNSELLOR_FOLLOWUP, topics.COUNSELLOR_CORRECTIONS, topics.TASKS, topics.NOTICES)
        rights = {*_consumer(system, read), *_written([topics.TASK_UPDATES])}
        why = "Counsellors' work: hits, corrections of them, tasks, notices."
        yield Role(f"task system {system}", why, frozenset(rights), who)
    for system, who in principals.early_signalling.items():
        regular = _consumer(system, (topics.REGULAR_FLOW, topics.REGULAR_CORRECTIONS))
        # A partner who hears from one side only knows by that alone who is in debt help (domain 8.17).
        rights = {*regular, *_written(inputs.feedback())}
        why = "The regular flow and its corrections; never a hit."
        yield Role(f"early-signalling system {system}", why, frozenset(rights), who)


def _consumer(group: str, read: Iterable[str]) -> Iterator[Right]:
    yield from _read(read)
    yield Right(Kind.GROUP, group, Operation.READ)


def _read(names: Iterable[str]) -> frozenset[Right]:
    return _on(names, Operation.READ)


def _written(names: Iterable[str]) -> frozenset[Right]:
    return _on(names, Operation.WRITE)


def _on(names: Iterable[str], operation: Operation) -> frozenset[Right]:
    return frozenset(Right(Kind.TOPIC, name, operation) for name in names)
