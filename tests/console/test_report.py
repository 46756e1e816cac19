from datetime import date

import pytest
from signaalwissel.schemas.routing import DebtTiming, Decision
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.sinks import audit
from signaalwissel.sinks.database import migrate, open_engine

from tests.console.console_support import CommandLine
from tests.processors.followup_support import decision
from tests.sinks.sink_support import ledger


def hit(number: int, partner: Partner, timing: DebtTiming, received_on: date = date(2026, 2, 10)) -> Decision:
    return decision(f"s-{number}", partner=partner, debt_timing=timing, received_on=received_on)


@pytest.fixture
def stored(database_url: str, bare_environment: pytest.MonkeyPatch) -> str:
    """Twelve hits of one partner after admission, one of another after completion, one in March."""
    migrate(database_url)
    rent, formula = Partner("woonstad", PartnerKind.RENT), Partner("=1+1", PartnerKind.WATER)
    made = [hit(number, rent, DebtTiming.AFTER_ADMISSION) for number in range(12)]
    made.append(hit(12, formula, DebtTiming.AFTER_EXIT))
    made.append(hit(13, rent, DebtTiming.AFTER_EXIT, date(2026, 3, 2)))
    with open_engine(database_url, name="test").begin() as connection:
        audit.record(connection, made, ledger())
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", database_url)
    return database_url


@pytest.mark.usefixtures("stored")
def test_as_json_a_month_is_a_list_of_lines_with_its_total(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("report", "new-arrears", "--month", "2026-02", "--municipality", "0344", "--json")
    assert ended.code == 0
    common = {"month": "2026-02", "municipality": "0344"}
    assert ended.json == [
        common | {"partner_kind": "RENT", "partner_id": "woonstad", "after_admission": 12, "after_exit": 0},
        common | {"partner_kind": "WATER", "partner_id": "=1+1", "after_admission": 0, "after_exit": "<10"},
        common | {"partner_kind": None, "partner_id": None, "after_admission": 12, "after_exit": ">=1"},
    ]


@pytest.mark.usefixtures("stored")
def test_as_csv_no_partner_id_is_a_formula(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("report", "new-arrears", "--csv")
    assert ended.out.splitlines() == [
        "month,municipality,partner_kind,partner_id,after_admission,after_exit",
        "2026-02,0344,RENT,woonstad,12,0",
        "2026-02,0344,WATER,'=1+1,0,<10",
        "2026-02,0344,ALL,,12,>=1",
        "2026-03,0344,RENT,woonstad,0,<10",
        "2026-03,0344,ALL,,0,>=1",
    ]


@pytest.mark.usefixtures("stored")
def test_a_municipality_s_own_figures_come_as_csv_and_json_with_small_groups_hidden(
    signaalwissel: CommandLine,
) -> None:
    chosen = ("--municipality", "0344", "--months", "60")
    ended = signaalwissel("report", "figures", *chosen, "--csv")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "municipality,figure,month,group,value,percent"
    assert "0344,SIGNALS,2026-02,RENT,12," in lines
    assert "0344,SIGNALS,2026-02,WATER,<10," in lines
    assert "0344,SIGNALS,2026-02,,>=13," in lines
    assert "0344,HITS,2026-02,RENT,12,100" in lines
    plain = signaalwissel("report", "figures", *chosen, "--json")
    assert len(plain.json) == len(lines) - 1
    assert signaalwissel("report", "figures", *chosen, "--json", "--csv").code == 2


@pytest.mark.usefixtures("stored")
def test_on_a_screen_it_is_a_table(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("report", "new-arrears", "--month", "2026-03")
    assert ended.code == 0
    assert "After completion" in ended.out
    assert "<10" in ended.out
    assert "2026-02" not in ended.out


@pytest.mark.usefixtures("stored")
def test_a_month_or_municipality_without_signals_is_an_empty_list(signaalwissel: CommandLine) -> None:
    ended = signaalwissel("report", "new-arrears", "--municipality", "9999", "--json")
    assert (ended.code, ended.json) == (0, [])


@pytest.mark.parametrize(
    "options",
    [
        ("--month", "2026-13"),
        ("--month", "februari"),
        ("--municipality", "Utrecht"),
        ("--municipality", "344"),
        ("--json", "--csv"),
    ],
)
def test_what_cannot_be_is_a_usage_error(signaalwissel: CommandLine, options: tuple[str, ...]) -> None:
    assert signaalwissel("report", "new-arrears", *options).code == 2


def test_a_database_that_is_away_ends_with_3(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert signaalwissel("report", "new-arrears").code == 3
