import pytest
from signaalwissel.processors.algorithm_register import REGISTER_NEEDS, register_entry, register_page
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.privacy_page import texts

from tests.processors.given import default_policies
from tests.processors.privacy_support import FILLED, filled_policy, with_another_number

# AlgorithmIn of the register's delivery API, version 1.0.
REQUIRED = (
    "name",
    "description_short",
    "organization",
    "status",
    "contact_email",
    "publication_category",
    "lang",
)
OPTIONAL = [
    "category",
    "begin_date",
    "end_date",
    "website",
    "url",
    "goal",
    "proportionality",
    "human_intervention",
    "risks",
    "lawful_basis",
    "lawful_basis_grouping",
    "process_index_url",
    "impacttoetsen_grouping",
    "impacttoetsen",
    "source_data",
    "source_data_grouping",
    "methods_and_models",
    "provider",
    "publiccode",
    "standard_version",
    "source_id",
    "tags",
    "lars",
    "publication_dt",
]
SHORT_MAX = 500


def filled_entirely() -> Policy:
    more = {"register_begin": "2026-01", "dpia_url": "https://www.voorbeeld.nl/dpia"}
    return filled_policy(privacy={**FILLED, **more})


def test_an_entry_has_the_fields_of_the_standard_and_no_others() -> None:
    entry = register_entry(filled_entirely())
    assert set(REQUIRED) <= set(entry) <= {*REQUIRED, *OPTIONAL}
    assert (entry["lang"], entry["standard_version"]) == ("nld", "1.0")
    assert len(entry["description_short"]) <= SHORT_MAX


def test_what_the_municipality_judges_comes_from_its_policy_alone() -> None:
    entry = register_entry(filled_entirely())
    assert entry["organization"] == FILLED["organisation"]
    assert (entry["status"], entry["publication_category"]) == ("In gebruik", "Overige algoritmes")
    assert entry["begin_date"] == "2026-01"
    assert entry["impacttoetsen_grouping"] == [
        {"title": "Data Protection Impact Assessment (DPIA)", "link": "https://www.voorbeeld.nl/dpia"}
    ]


def test_what_is_missing_is_marked_where_the_register_requires_it_and_absent_elsewhere() -> None:
    entry = register_entry(default_policies().default)
    assert [
        value for value in entry.values() if isinstance(value, str) and value.startswith("[NOG INVULLEN")
    ] == [
        f"[NOG INVULLEN: privacy.{key}]"
        for key in ("organisation", "register_status", "contact_email", "register_category")
    ]
    assert len(REGISTER_NEEDS) == 4
    assert entry.keys().isdisjoint({"begin_date", "website", "impacttoetsen_grouping"})


@pytest.mark.parametrize(("name", "other"), with_another_number(filled_policy()))
def test_every_number_of_the_policy_is_in_the_entry(name: str, other: Policy) -> None:
    assert register_entry(other) != register_entry(filled_policy()), name


def test_who_may_hear_that_a_resident_is_known_is_told() -> None:
    assert "een partner hoort nooit" in register_entry(filled_policy())["risks"]
    told = register_entry(filled_policy(feedback={"tell_known_to_debt_help": True}))["risks"]
    assert "een partner hoort ook" in told


def test_no_name_of_a_team_or_of_staff_is_published() -> None:
    policy = filled_policy(teams={"default": "team-geheim", "unavailable": ["b-17"]})
    entry = str(register_entry(policy))
    assert "team-geheim" not in entry
    assert "b-17" not in entry


def test_people_read_every_field_with_its_name() -> None:
    shown = "\n".join(texts(register_page(filled_entirely())))
    assert all(f"({name})" in shown for name in register_entry(filled_entirely()))
