"""The topics of the product: names, and what must hold for each of them on the broker."""

import pytest
from signaalwissel.processors import emissions
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.streams.agent_settings import AgentSettings, Rules
from signaalwissel.streams.agents import build_intake, build_matcher
from signaalwissel.streams.app import ChunkApp
from signaalwissel.streams.topics import Names, Topic, layout

PUBLISHERS = ("signals.woonstad", "trajectories.stratech", "feedback.woonstad")
NAMES = Names("a-prefix.", PUBLISHERS)
LAYOUT = {topic.name: topic for topic in layout(NAMES, 6)}
COMPACTED = {
    "trajectory-states",
    "import-states",
    "signaalwissel-intake-trajectories-changelog",
    "signaalwissel-intake-signals-changelog",
    "signaalwissel-intake-rotations-changelog",
    "signaalwissel-matcher-trajectories-changelog",
    "signaalwissel-matcher-recents-changelog",
    "signaalwissel-matcher-policies-changelog",
    "signaalwissel-matcher-rotations-changelog",
}
WEEK_MS, MONTH_MS = "604800000", "2592000000"


def app(build: object) -> ChunkApp:
    settings = AgentSettings(names=NAMES, bootstrap="nowhere:9092")
    rules = Rules(packaged_policies(), Publishers(), ThrowawayKeys(), fresh_nonce)
    built = build(settings, rules)  # type: ignore[operator]
    assert isinstance(built, ChunkApp)
    return built


@pytest.mark.parametrize("build", [build_intake, build_matcher])
def test_every_topic_that_an_app_reads_or_keeps_its_tables_in_is_made(build: object) -> None:
    built = app(build)
    used = {*built.inputs, *(table.changelog for table in built.chunk_tables)}
    assert used <= set(LAYOUT)
    assert len(used) == len(built.inputs) + len(built.chunk_tables)


def test_intake_reads_every_input_and_the_commands() -> None:
    assert {NAMES.bare(topic) for topic in app(build_intake).inputs} == {
        "signals",
        "signals.woonstad",
        "signals-moved",
        "trajectories",
        "trajectories.stratech",
        "trajectories-moved",
        "intake-commands",
    }


def test_the_matcher_reads_resident_events_only() -> None:
    assert app(build_matcher).inputs == (NAMES("resident-events"),)


def test_intake_and_matcher_share_no_group() -> None:
    assert app(build_intake).conf.id != app(build_matcher).conf.id


@pytest.mark.parametrize("name", [value for name, value in vars(emissions).items() if name.isupper()])
def test_every_topic_that_rules_emit_to_is_made(name: str) -> None:
    assert NAMES(name) in LAYOUT or NAMES(f"{name}.woonstad") in LAYOUT


@pytest.mark.parametrize("topic", LAYOUT.values(), ids=lambda topic: topic.name)
def test_kafka_stamps_and_unpacks_every_record(topic: Topic) -> None:
    assert topic.config["message.timestamp.type"] == "LogAppendTime"
    assert topic.config["compression.type"] == "uncompressed"


@pytest.mark.parametrize("build", [build_intake, build_matcher])
def test_an_app_starts_only_on_inputs_that_are_set_as_they_are_made(build: object) -> None:
    built = app(build)
    assert set(built.settings.input_settings) == set(built.inputs)
    for topic, settings in built.settings.input_settings.items():
        assert settings.items() <= LAYOUT[topic].config.items()
        assert set(settings) == {"message.timestamp.type", "compression.type", "max.message.bytes"}


def test_every_topic_has_the_same_number_of_partitions() -> None:
    assert {topic.partitions for topic in LAYOUT.values()} == {6}


def test_no_topic_is_made_twice() -> None:
    assert len(layout(NAMES, 6)) == len(LAYOUT)


def test_states_and_changelogs_are_compacted_and_nothing_else_is() -> None:
    compacted = {
        NAMES.bare(name) for name, topic in LAYOUT.items() if topic.config["cleanup.policy"] == "compact"
    }
    assert compacted == COMPACTED
    assert all("retention.ms" not in LAYOUT[NAMES(name)].config for name in COMPACTED)


def test_signals_and_dead_letters_are_kept_for_a_week() -> None:
    week = {NAMES.bare(name) for name, topic in LAYOUT.items() if topic.config.get("retention.ms") == WEEK_MS}
    assert week == {"signals", "signals.woonstad", "signals-moved", "resident-events", "dead-letters"}


def test_all_others_but_the_ledger_are_kept_for_thirty_days() -> None:
    ledger = NAMES("import-ledger")
    others = {
        topic.config["retention.ms"]
        for topic in LAYOUT.values()
        if "retention.ms" in topic.config and topic.name != ledger
    }
    assert others == {WEEK_MS, MONTH_MS}


def test_what_was_imported_is_known_for_longer_than_any_signal_may_be_old() -> None:
    ledger = LAYOUT[NAMES("import-ledger")].config
    oldest_days = packaged_policies().default.intake.signal_age_days_max
    assert ledger["cleanup.policy"] == "compact,delete"
    assert int(ledger["retention.ms"]) > (oldest_days + 35) * 86_400_000


@pytest.mark.parametrize("name", ["resident-events", "decisions", *sorted(COMPACTED)])
def test_what_holds_whole_trajectories_takes_large_records(name: str) -> None:
    assert int(LAYOUT[NAMES(name)].config["max.message.bytes"]) == 16 << 20


@pytest.mark.parametrize("build", [build_intake, build_matcher])
def test_a_dead_letter_has_room_for_the_largest_record_with_its_header_names_written_out(
    build: object,
) -> None:
    room = int(LAYOUT[NAMES("dead-letters")].config["max.message.bytes"])
    largest = max(int(s["max.message.bytes"]) for s in app(build).settings.input_settings.values())
    assert room > 4 * largest + (1 << 20)


def test_a_prefix_stands_before_every_name_and_comes_off_again() -> None:
    assert all(name.startswith("a-prefix.") for name in LAYOUT)
    assert NAMES.bare(NAMES("signals")) == "signals"
    assert Names().bare("signals") == "signals"
    assert {topic.name for topic in layout(Names("", PUBLISHERS), 1)} == {NAMES.bare(name) for name in LAYOUT}


def test_a_publishers_topic_is_an_input_of_its_own_kind_only() -> None:
    names = Names("", ("signals.a", "trajectories.b", "signalsX", "other"))
    assert names.signal_inputs() == ["signals", "signals.a", "signals-moved"]
    assert names.trajectory_inputs() == ["trajectories", "trajectories.b", "trajectories-moved"]
