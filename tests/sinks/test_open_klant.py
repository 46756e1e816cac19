from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from signaalwissel.processors.open_klant_texts import texts_of
from signaalwissel.sinks import open_klant
from signaalwissel.sinks.open_klant import DONE, OpenKlant
from signaalwissel.sinks.open_klant_http import OpenKlantAway, OpenKlantGone

from tests.sinks.open_klant_server import running_stub
from tests.sinks.open_klant_stub import OpenKlantStub
from tests.sinks.open_klant_support import client, relapse

TASK = relapse()
TEXTS = texts_of(TASK)


@pytest.fixture
def stub() -> Iterator[OpenKlantStub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def api(stub: OpenKlantStub) -> Iterator[OpenKlant]:
    with client(stub) as api:
        yield api


def test_a_task_is_a_klantcontact_and_an_internetaak_of_its_counsellor(
    stub: OpenKlantStub, api: OpenKlant
) -> None:
    made = api.internal_task(api.contact(TASK, TEXTS).uuid, TASK, TEXTS)
    assert made.fresh
    (actor,) = stub.actors.values()
    assert actor["soortActor"] == "medewerker"
    assert actor["naam"] == "b-17"
    assert actor["actoridentificator"] == {
        "objectId": "0344/b-17",
        "codeObjecttype": "medewerker",
        "codeRegister": "signaalwissel",
        "codeSoortObjectId": "behandelaar-id",
    }
    (contact,) = stub.contacts.values()
    assert (contact["taal"], contact["vertrouwelijk"], contact["kanaal"]) == ("nld", True, "signaalwissel")
    task = stub.only_task
    assert task["aanleidinggevendKlantcontact"] == {"uuid": contact["uuid"]}
    assert task["toegewezenAanActoren"] == [{"uuid": actor["uuid"]}]
    assert task["status"] == "te_verwerken"
    assert (task["gevraagdeHandeling"], task["toelichting"]) == (TEXTS.action, TEXTS.explanation)


def test_nothing_of_a_person_leaves_the_house(stub: OpenKlantStub, api: OpenKlant) -> None:
    api.internal_task(api.contact(TASK, TEXTS).uuid, TASK, TEXTS)
    said = str([stub.actors, stub.contacts, stub.objects, stub.tasks])
    assert "sealed" not in said
    assert "50000" not in said
    assert "500" not in TEXTS.explanation


def test_a_team_without_a_counsellor_is_an_organisational_unit(stub: OpenKlantStub, api: OpenKlant) -> None:
    task = replace(TASK, assignee=None, team="wijkteam")
    api.internal_task(api.contact(task, TEXTS).uuid, task, TEXTS)
    (actor,) = stub.actors.values()
    assert (actor["soortActor"], actor["naam"]) == ("organisatorische_eenheid", "wijkteam")
    assert actor["actoridentificator"]["objectId"] == "0344/wijkteam"


def test_what_is_there_is_found_by_another_process_and_not_made_again(
    stub: OpenKlantStub, api: OpenKlant
) -> None:
    contact = api.contact(TASK, TEXTS)
    made = api.internal_task(contact.uuid, TASK, TEXTS)
    with client(stub) as other:
        found = other.contact(TASK, TEXTS)
        assert (found.uuid, found.fresh) == (contact.uuid, False)
        again = other.internal_task(found.uuid, TASK, TEXTS)
        assert (again.uuid, again.fresh) == (made.uuid, False)
        other.change(again.uuid, TASK, TEXTS, None)
    assert (len(stub.contacts), len(stub.tasks), len(stub.actors)) == (1, 1, 1)


def test_the_actor_of_another_municipality_or_one_that_left_is_not_taken(
    stub: OpenKlantStub, api: OpenKlant
) -> None:
    api.internal_task(api.contact(TASK, TEXTS).uuid, TASK, TEXTS)
    (first,) = list(stub.actors.values())
    stub.actors["elsewhere"] = first | {
        "uuid": str(uuid4()),
        "actoridentificator": first["actoridentificator"] | {"objectId": "0599/b-17"},
    }
    first["indicatieActief"] = False
    api.forget_actors()
    api.change(api.internal_task(api.contact(TASK, TEXTS).uuid, TASK, TEXTS).uuid, TASK, TEXTS, None)
    taken = stub.actors[stub.only_task["toegewezenAanActoren"][0]["uuid"]]
    assert (taken["indicatieActief"], taken["actoridentificator"]["objectId"]) == (True, "0344/b-17")


def test_a_server_that_ignores_a_filter_gives_no_strangers_contact(
    stub: OpenKlantStub, api: OpenKlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = api.contact(TASK, TEXTS).uuid
    monkeypatch.setattr("tests.sinks.open_klant_stub.OBJECT_FILTERS", {})
    monkeypatch.setattr(
        OpenKlantStub, "_list", lambda _self, kept, _q, _f: (200, {"results": list(kept.values())})
    )
    stranger = relapse(2)
    assert api.contact_of(stranger.task_id) is None
    assert api.internal_task_of(api.contact(stranger, TEXTS).uuid) is None
    assert api.contact_of(TASK.task_id) == mine


def test_a_number_that_a_stranger_has_gives_way_to_the_next(stub: OpenKlantStub, api: OpenKlant) -> None:
    for attempt in range(2):
        number = open_klant._number(f"klantcontact {TASK.task_id}", attempt)
        stub.contacts[number] = {"uuid": str(uuid4()), "referentienummer": number}
    made = api.contact(TASK, TEXTS)
    assert made.fresh
    third = open_klant._number(f"klantcontact {TASK.task_id}", 2)
    assert stub.contacts[str(made.uuid)]["referentienummer"] == third


def test_a_request_that_was_carried_out_after_we_gave_up_is_found_by_its_number(
    stub: OpenKlantStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client(stub) as api:
        made = api.contact(TASK, TEXTS)
        seen = iter([None])
        look = api.contact_of
        # The first look came before the late request was carried out.
        monkeypatch.setattr(api, "contact_of", lambda task_id: next(seen, look(task_id)))
        assert api.contact(TASK, TEXTS) == (made.uuid, False)
    assert len(stub.contacts) == 1


def test_a_number_has_at_most_ten_digits_and_is_the_same_every_time() -> None:
    numbers = {open_klant._number(f"task {n}", 0) for n in range(1000)}
    assert len(numbers) == 1000
    assert all(number.isdecimal() and len(number) == 10 for number in numbers)
    assert open_klant._number("task 1", 0) == open_klant._number("task 1", 0)


def test_completion_is_read_with_its_moment(stub: OpenKlantStub, api: OpenKlant) -> None:
    made = api.internal_task(api.contact(TASK, TEXTS).uuid, TASK, TEXTS).uuid
    assert (api.read(made).done, api.read(made).handled_at) == (False, None)
    stub.finish(str(made))
    assert api.read(made) == open_klant.InternalTask(
        True, datetime(2026, 3, 9, 10, 15, 0, 250_000, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "said",
    [
        "gisteren",
        None,
        7,
        "2026-03-09T10:15:00",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_moment_that_cannot_be_read_is_none(stub: OpenKlantStub, api: OpenKlant, said: object) -> None:
    made = api.internal_task(api.contact(TASK, TEXTS).uuid, TASK, TEXTS).uuid
    stub.only_task.update(status="verwerkt", afgehandeldOp=said)
    assert api.read(made) == open_klant.InternalTask(True, None)


def test_a_change_leaves_the_status_alone_unless_told(stub: OpenKlantStub, api: OpenKlant) -> None:
    made = api.internal_task(api.contact(TASK, TEXTS).uuid, TASK, TEXTS).uuid
    stub.finish(str(made))
    api.change(made, replace(TASK, assignee="b-18"), TEXTS, None)
    assert stub.only_task["status"] == "verwerkt"
    assert len(stub.actors) == 2
    api.change(made, TASK, TEXTS, DONE)
    assert stub.only_task["status"] == "verwerkt"


def test_what_is_gone_is_told_from_a_wrong_url(stub: OpenKlantStub, api: OpenKlant) -> None:
    with pytest.raises(OpenKlantGone):
        api.read(uuid4())
    with (
        client(stub, url=stub.url.replace("/v1", "/v9")) as lost,
        pytest.raises(OpenKlantAway, match="OPEN_KLANT_URL"),
    ):
        lost.read(uuid4())


@pytest.mark.parametrize("said", [True, False, None])
def test_whether_the_resident_was_reached_stands_on_the_klantcontact_itself(
    stub: OpenKlantStub, api: OpenKlant, said: bool | None
) -> None:
    contact = api.contact(TASK, TEXTS).uuid
    stub.contacts[str(contact)]["indicatieContactGelukt"] = said
    assert api.reached(contact) is said


@pytest.mark.parametrize(
    ("tries", "reached"),
    [
        ([False, True], True),
        ([True, False], True),
        ([False, False], False),
        ([None, False], False),
        ([None], None),
    ],
)
def test_or_on_the_contacts_that_followed_each_on_the_one_before(
    stub: OpenKlantStub, api: OpenKlant, tries: list[bool | None], reached: bool | None
) -> None:
    contact = api.contact(TASK, TEXTS).uuid
    last = str(contact)
    for said in tries:
        last = stub.register_contact(last, reached=said)
    assert api.reached(contact) is reached


def test_contacts_in_a_circle_or_without_end_are_read_once_and_bounded(
    stub: OpenKlantStub, api: OpenKlant
) -> None:
    contact = str(api.contact(TASK, TEXTS).uuid)
    stub.objects["circle"] = {"klantcontact": {"uuid": contact}, "wasKlantcontact": {"uuid": contact}}
    for _ in range(30):
        stub.register_contact(contact, reached=False)
    assert api.reached(UUID(contact)) is False
    assert stub.count("GET klantcontacten/") == 10


def test_a_contact_that_was_deleted_there_tells_nothing(stub: OpenKlantStub, api: OpenKlant) -> None:
    contact = api.contact(TASK, TEXTS).uuid
    gone = stub.register_contact(str(contact), reached=False)
    stub.register_contact(str(contact), reached=True)
    del stub.contacts[gone]
    assert api.reached(contact) is True


@pytest.mark.parametrize("said", [1, "true", [True], {}])
def test_what_is_no_yes_or_no_tells_nothing(stub: OpenKlantStub, api: OpenKlant, said: object) -> None:
    contact = api.contact(TASK, TEXTS).uuid
    stub.contacts[str(contact)]["indicatieContactGelukt"] = said
    assert api.reached(contact) is None


@pytest.mark.parametrize("there", ["https://elders/klantcontacten/1", 7, [], None])
def test_a_reference_of_another_shape_is_nobodys(
    api: OpenKlant, monkeypatch: pytest.MonkeyPatch, there: object
) -> None:
    answer = {"results": [{"uuid": str(uuid4()), "aanleidinggevendKlantcontact": there}]}
    monkeypatch.setattr(api._requests, "get", lambda *_: answer)
    assert api.internal_task_of(uuid4()) is None


@pytest.mark.parametrize("answer", [{"results": "x"}, {"results": [1]}, {}])
def test_answers_of_another_shape_are_a_failure_and_no_crash(
    api: OpenKlant, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    monkeypatch.setattr(api._requests, "get", lambda *_: answer)
    with pytest.raises(OpenKlantAway, match="no results"):
        api.contact_of("t")


@pytest.mark.parametrize("answer", [{}, {"klantcontact": None}, {"klantcontact": {"uuid": "../../admin"}}])
def test_what_is_no_uuid_never_becomes_part_of_a_path(
    api: OpenKlant, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    monkeypatch.setattr(api._requests, "post", lambda *_: answer)
    with pytest.raises(OpenKlantAway, match="no uuid"):
        api.contact(TASK, TEXTS)
