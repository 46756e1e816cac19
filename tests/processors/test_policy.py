"""Policy files: defaults, what a municipality overrides, and errors that name file, key and bound (design 6)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from signaalwissel.processors.policy import Policies, Policy, PolicyError, load_policies, packaged_policies
from signaalwissel.schemas.trajectory import ExitReason

from tests.processors.given import default_policies, policy_with

DEFAULT = Path(__file__).parents[2] / "processors" / "default.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy folder with the default that comes with the product."""
    (tmp_path / "default.toml").write_text(DEFAULT.read_text("utf-8"), "utf-8")
    return tmp_path


def test_the_defaults_are_those_of_the_rules() -> None:
    policy = default_policies().default
    assert (policy.window.months, policy.window.reasons_that_count) == (6, (ExitReason.COMPLETED,))
    assert (policy.intake.signal_age_days_max, policy.intake.resend_days, policy.intake.orphan_days) == (
        62,
        35,
        30,
    )
    assert (policy.corrections.period_days, policy.identity.address_persons_max) == (35, 8)
    assert (policy.deadlines.contact_days, policy.deadlines.crisis_working_days) == (28, 3)
    assert policy.ladder.offer_to_regular_after_days < policy.deadlines.contact_days
    assert not policy.feedback.tell_known_to_debt_help


def test_the_file_says_what_the_code_defaults_to() -> None:
    policy = default_policies().default
    bare = Policy(teams=policy.teams, retention=policy.retention)
    assert bare == policy


def test_a_municipality_overrides_what_it_names(folder: Path) -> None:
    (folder / "0344.toml").write_text("[window]\nmonths = 3\n[teams]\ndefault = 'wijkteam'\n")
    policies = load_policies(folder)
    assert list(policies) == ["0344"]
    mine = policies["0344"]
    assert (mine.window.months, mine.window.reasons_that_count) == (3, (ExitReason.COMPLETED,))
    assert (mine.teams.default, mine.intake) == ("wijkteam", policies.default.intake)


def test_a_municipality_without_a_file_has_no_policy_but_in_simulate_and_demo(folder: Path) -> None:
    policies = load_policies(folder)
    assert policies.get("0344") is None
    with pytest.raises(PolicyError, match="municipality 0344: no policy"):
        policies["0344"]
    assert load_policies(folder, for_every_code=True)["0344"] == policies.default
    assert packaged_policies().get("0344") is None


def test_the_version_is_what_the_policy_says() -> None:
    policy = default_policies().default
    assert policy.version == policy_with().version
    assert len(policy.version) == 16
    assert policy.version != policy_with(window={"months": 7}).version


@pytest.mark.parametrize("section", ["unavailable", "administrators"])
def test_the_version_does_not_hang_on_the_order_of_a_set_which_differs_by_process(section: str) -> None:
    names = [f"b-{number:02}" for number in range(40)]
    assert policy_with(teams={section: names[::-1]}).model_dump(mode="json")["teams"][section] == names


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        pytest.param("0344.toml", b"[window", "is not TOML", id="no TOML"),
        pytest.param("0344.toml", b"\xff", "is not TOML", id="no text"),
        pytest.param("0344.toml", b"[window]\nmonths = 0", r"window\.months: .* 1", id="below its bound"),
        pytest.param("0344.toml", b"[window]\nmonth = 6", r"window\.month: ", id="no such key"),
        pytest.param("0344.toml", b"window = 6", "window: ", id="no section"),
        pytest.param("0344.toml", b"[teams]\ndefault = ''", r"teams\.default: .* 1 character", id="no team"),
        pytest.param(
            "0344.toml",
            b"[ladder]\nteam_after_days = 25",
            "ladder: .*team_after_days = 25 must not lie after offer_to_regular_after_days = 24",
            id="its ladder is in disorder",
        ),
        pytest.param(
            "0344.toml",
            b"[corrections]\nperiod_days = 20",
            "policy: .*must end before",
            id="its ladder is too long",
        ),
        pytest.param("utrecht.toml", b"", "four digits", id="a name that is no code"),
    ],
)
def test_an_error_names_file_key_and_bound(folder: Path, name: str, content: bytes, told: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(PolicyError, match=rf"{name}: .*{told}"):
        load_policies(folder)


def test_what_cannot_be_read_as_a_file_is_named(folder: Path) -> None:
    (folder / "0599.toml").mkdir()
    with pytest.raises(PolicyError, match=r"0599\.toml: cannot be read"):
        load_policies(folder)


def test_a_folder_needs_a_default(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"default\.toml: missing"):
        load_policies(tmp_path)


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        pytest.param(
            {"deadlines": {"verify_identity_days": 35, "verify_identity_expires_days": 35}},
            "verify_identity_days = 35 must end before",
            id="verifying",
        ),
        pytest.param(
            {"ladder": {"offer_to_regular_after_days": 35}},
            "offer_to_regular_after_days = 35 must end before",
            id="offering",
        ),
        pytest.param(
            {"deadlines": {"verify_identity_expires_days": 35}},
            "verify_identity_expires_days = 35 must end before corrections.period_days = 35",
            id="a verification that runs on",
        ),
        pytest.param(
            {"deadlines": {"verify_identity_expires_days": 13}},
            "verify_identity_expires_days = 13 must not lie before verify_identity_days = 14",
            id="a verification that ends before its deadline",
        ),
        pytest.param(
            {"ladder": {"team_after_days": 35, "offer_to_regular_after_days": 36}},
            "team_after_days = 35 must end before",
            id="the team",
        ),
        pytest.param(
            {"ladder": {"offer_to_regular_after_days": 28}},
            "must lie before deadlines.contact_days = 28",
            id="late",
        ),
        pytest.param({"ladder": {"team_after_days": 25}}, "must not lie after", id="the ladder's order"),
        pytest.param({"ladder": {"remind_after_days": [14, 7]}}, "must rise", id="reminders in disorder"),
        pytest.param({"ladder": {"remind_after_days": [7, 7]}}, "must rise", id="a reminder twice"),
        pytest.param(
            {"ladder": {"remind_after_days": [7, 15]}},
            "must not end after team_after_days = 14",
            id="reminding late",
        ),
        pytest.param(
            {"ladder": {"crisis_team_after_working_days": 3}},
            "must not lie after crisis_offer_after_working_days = 2",
            id="the ladder's order in a crisis",
        ),
        pytest.param(
            {"ladder": {"crisis_offer_after_working_days": 3}},
            "crisis_offer_after_working_days = 3 must lie before deadlines.crisis_working_days = 3",
            id="a crisis that is offered late",
        ),
        pytest.param(
            {"deadlines": {"contact_days": 29}}, "deadlines.contact_days", id="a contact after four weeks"
        ),
        pytest.param(
            {"deadlines": {"crisis_working_days": 4}},
            "deadlines.crisis_working_days",
            id="a crisis after three working days",
        ),
        pytest.param(
            {"inform": {"notice_within_months": 2}},
            "inform.notice_within_months",
            id="informing after a month",
        ),
        pytest.param(
            {"inform": {"open_after_admission_days": 28}},
            "inform.open_after_admission_days",
            id="a task to inform that opens when it is due",
        ),
        pytest.param({"teams": {"default": "  "}}, "at least 1 character", id="no team"),
        pytest.param(
            {"retention": {"signal": {"months": 2, "justification": "Twee maanden, te kort."}}},
            "is shorter than corrections.period_days",
            id="signals that go while they can be corrected",
        ),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(sections: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        policy_with(**sections)


WEBHOOK = {"kind": "webhook", "url": "https://p.example.nl:8443/a-b/c"}


@pytest.mark.parametrize(
    "openly", [{"channels": {"regular_side_too": True}}, {"feedback": {"tell_known_to_debt_help": True}}]
)
def test_a_channel_makes_no_other_policy(openly: dict[str, Any]) -> None:
    without = policy_with(**openly)
    channels = {
        **openly.get("channels", {}),
        "partners": {"p": WEBHOOK, "q": {"kind": "file"}, "r": {"kind": "topic", "publisher": "r"}},
    }
    policy = policy_with(**{**openly, "channels": channels})
    assert set(policy.channels.partners) == {"p", "q", "r"}
    assert policy.version == without.version


@pytest.mark.parametrize(
    ("partner", "channel", "told"),
    [
        ("p", {"kind": "webhook"}, "needs a url"),
        ("p", {"kind": "file", "url": "https://p.example.nl"}, "needs a url"),
        ("p", {"kind": "topic"}, "needs a publisher"),
        ("p", {"kind": "file", "publisher": "p"}, "needs a publisher"),
        ("p", {"kind": "topic", "publisher": "p/q"}, "publisher"),
        ("p", {"kind": "queue"}, "kind"),
        ("p", {"kind": "webhook", "url": "http://p.example.nl/x"}, "url"),
        ("p", {"kind": "webhook", "url": "https://user:geheim@p.example.nl/x"}, "url"),
        ("p", {"kind": "webhook", "url": "https://p.example.nl/x?key=1"}, "url"),
        ("../p", {"kind": "file"}, "partners"),
        ("", {"kind": "file"}, "partners"),
    ],
)
def test_a_channel_that_cannot_work_is_refused(partner: str, channel: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        policy_with(channels={"regular_side_too": True, "partners": {partner: channel}})


def test_a_channel_that_alone_would_tell_of_debt_help_is_refused() -> None:
    with pytest.raises(ValidationError, match="regular_side_too"):
        policy_with(channels={"partners": {"p": WEBHOOK}})


def test_policies_without_files_are_those_given() -> None:
    policy = policy_with(window={"months": 3})
    assert Policies(policy, {"0344": policy})["0344"].window.months == 3
