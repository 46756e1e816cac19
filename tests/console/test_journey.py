from datetime import date

import pytest
from signaalwissel.processors.dead_letters import About
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.signal import Partner, PartnerKind

from tests.console.console_support import CommandLine, Installation, source
from tests.processors.followup_support import decision, to_regular, update
from tests.sinks.sink_support import SinkBench

HIT = decision("s-1", explanation="Er loopt een traject bij schuldhulp.")


def stored_by_the_sink(installation: Installation, decisions: list[Decision]) -> SinkBench:
    bench = SinkBench(installation.bootstrap, installation.database_url, installation.prefix)
    bench.decide(decisions)
    return bench


@pytest.fixture
def corrected(installation: Installation) -> Installation:
    """A hit with a task that a counsellor accepted, then overturned; and a refused delivery of the same number."""
    bench = stored_by_the_sink(installation, [HIT])
    bench.drain()
    with installation.engine.connect() as connection:
        task_id = connection.exec_driver_sql("SELECT task_id FROM tasks").scalar_one()
    bench.report(update(TaskUpdateKind.ACCEPTED, task_id))
    bench.drain()
    bench.decide([to_regular("s-1", caused_by_event_id="event-9", previous_routing_id=HIT.routing_id)])
    bench.drain()
    bench.close()
    installation.refuse(source(), about=About("0344", "s-1"))
    return installation


def test_the_whole_journey_is_shown_from_receipt_to_the_last_step(
    corrected: Installation, signaalwissel: CommandLine
) -> None:
    ended = signaalwissel("signal", "show", "s-1")
    assert ended.code == 0
    texts = [
        "received by 0344 from woonstad (RENT)",
        "revision 0  COUNSELLOR_FOLLOWUP: RUNNING_TRAJECTORY",
        "Er loopt een traject bij schuldhulp.",
        "trajectory T-1",
        "revision 1  corrected to REGULAR_FLOW: NO_TRAJECTORY (MOVED, LIFECYCLE)",
        "caused by event-9",
        "CONTACT_ON_RELAPSE, CANCELLED",
        "ACCEPTED by",
        "refused on signals: UNREADABLE, arrears: must be a number",
    ]
    places = [ended.out.find(text) for text in texts]
    assert -1 not in places, texts[places.index(-1)]
    assert places == sorted(places)


def test_as_json_the_journey_is_one_object_without_pseudonyms_and_seals(
    corrected: Installation, signaalwissel: CommandLine
) -> None:
    ended = signaalwissel("signal", "show", "s-1", "--municipality", "0344", "--json")
    (delivery,) = ended.json["deliveries"]
    (task,) = delivery["tasks"]
    (refusal,) = ended.json["refusals"]
    assert [(d["revision"], d["route"], d["cause"]) for d in delivery["decisions"]] == [
        (0, "COUNSELLOR_FOLLOWUP", None),
        (1, "REGULAR_FLOW", "LIFECYCLE"),
    ]
    assert delivery["received_at"] == "2026-03-02T12:00:00.000Z"
    assert delivery["decisions"][0]["reference_date"] == "2026-03-02"
    assert task["status"] == "CANCELLED"
    assert [signal["left"] for signal in task["signals"]] == [True]
    assert "ACCEPTED" in [step["what"] for step in task["history"]]
    assert refusal["code"] == "UNREADABLE"
    assert HIT.match_key.hex() not in ended.out
    assert "sealed" not in ended.out


def test_a_number_that_was_used_twice_is_two_deliveries(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    again = decision("s-1", received_on=date(2026, 5, 4))
    bench = stored_by_the_sink(installation, [HIT, again])
    bench.drain()
    bench.close()
    ended = signaalwissel("signal", "show", "s-1", "--json")
    assert [delivery["number_used_again"] for delivery in ended.json["deliveries"]] == [False, True]


def test_deliveries_of_another_partner_can_be_left_out(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    other = decision("s-1", partner=Partner("waternet", PartnerKind.WATER))
    bench = stored_by_the_sink(installation, [HIT, other])
    bench.drain()
    bench.close()
    ended = signaalwissel("signal", "show", "s-1", "--partner", "waternet", "--json")
    assert [delivery["partner_id"] for delivery in ended.json["deliveries"]] == ["waternet"]
    assert signaalwissel("signal", "show", "s-1", "--partner", "nobody").code == 1


def test_brackets_of_a_partner_are_text_and_no_markup(
    installation: Installation, signaalwissel: CommandLine
) -> None:
    bench = stored_by_the_sink(installation, [decision("[/red]s-1")])
    bench.drain()
    bench.close()
    ended = signaalwissel("signal", "show", "[/red]s-1")
    assert ended.code == 0
    assert "Signal [/red]s-1" in ended.out


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_unknown_signal_ends_with_1(
    stored: Installation, signaalwissel: CommandLine, form: tuple[str, ...]
) -> None:
    ended = signaalwissel("signal", "show", "nothing", *form)
    assert ended.code == 1
    if form:
        assert ended.json == {"signal_id": "nothing", "deliveries": [], "refusals": []}
    else:
        assert ended.out == ""
