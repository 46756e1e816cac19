"""A case system posts its own JSON: mapped by its profile, then as good and as bounded as any record."""

from pathlib import Path
from typing import Any

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEventKind
from signaalwissel.sources.profile_loading import Loaded, ProfileError, load_profile, packaged_profiles

from tests.sources.gateway_support import Outlet, client

PATH = "/v1/webhooks/casus"
PROFILE = """
name = "casus"
title = "A case system that posts what happens"
assumed = "all of it: this system does not exist"
record = "trajectory-event"

[webhook]

[source]
format = "json"
records = "item"

[map]
event_id = { column = "mutatie" }
trajectory_id = { column = "dossier.nummer" }
municipality = { column = "gemeente" }
sequence = { column = "volgnummer" }
occurred_on = { column = "datum", dates = ["%d-%m-%Y"] }
kind = { column = "soort", codes = "kinds" }
exit_reason = { column = "reden", codes = "reasons", optional = true }

[[clients]]
bsn = { column = "personen.0.bsn", optional = true }

[codes.kinds]
aangemeld = "APPLIED"
uitgestroomd = "EXITED"

[codes.reasons]
afgerond = "COMPLETED"
"""


def profile(folder: Path, text: str = PROFILE) -> Loaded:
    file = folder / "casus.toml"
    file.write_text(text)
    return load_profile(str(file))


def posted(**changed: Any) -> dict[str, Any]:
    return {
        "mutatie": "m-1",
        "dossier": {"nummer": "D-1"},
        "gemeente": "GM0344",
        "volgnummer": 1,
        "datum": "01-05-2026",
        "soort": "Aangemeld",
        "personen": [{"bsn": "999990019"}],
        **changed,
    }


def test_what_a_system_posts_is_on_the_topic_as_our_record(tmp_path: Path) -> None:
    outlet = Outlet()
    answer = client(outlet, webhooks=[profile(tmp_path)]).post(PATH, json=posted())
    assert (answer.status_code, answer.json()["id"]) == (202, "m-1")
    [sent] = outlet.sent
    record = codec("TrajectoryEvent").decode(sent.value)
    assert (sent.topic, sent.key) == ("p-trajectories", b"0344/D-1")
    assert (record.kind, record.municipality, record.clients[0].bsn) == (
        TrajectoryEventKind.APPLIED,
        "0344",
        "999990019",
    )
    assert sent.headers["ce_type"] == b"nl.schuldhulpverlening.traject-applied"


def test_of_a_list_each_is_taken_or_refused_by_itself_with_field_and_rule(tmp_path: Path) -> None:
    outlet = Outlet()
    ended = posted(mutatie="m-2", volgnummer=2, soort="uitgestroomd", reden="afgerond", personen=[])
    wrong = posted(mutatie="m-3", datum="2026-05-01")
    answer = client(outlet, webhooks=[profile(tmp_path)]).post(PATH, json=[posted(), ended, wrong, "tekst"])
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [202, 202, 400, 400]
    assert results[2]["errors"][0]["field"] == "occurred_on"
    assert "2026-05-01" not in answer.text
    assert codec("TrajectoryEvent").decode(outlet.sent[1].value).exit_reason is ExitReason.COMPLETED


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"gemeente": "0599"}, 403, "municipality"),
        ({"soort": "verdwenen"}, 400, "kind"),
        ({"personen": [{"bsn": "123456789"}]}, 400, "clients[0].bsn"),
        ({"mutatie": None}, 400, "event_id"),
    ],
)
def test_rights_and_rules_are_those_of_the_records(
    changed: dict[str, Any], status: int, field: str, tmp_path: Path
) -> None:
    outlet = Outlet()
    answer = client(outlet, webhooks=[profile(tmp_path)]).post(PATH, json=posted(**changed))
    assert answer.status_code == status
    assert [finding["field"] for finding in answer.json()["errors"]] == [field]
    assert outlet.sent == []


def test_nobody_posts_without_a_token_or_to_a_system_that_is_not_there(tmp_path: Path) -> None:
    outlet = Outlet()
    hooked = client(outlet, webhooks=[profile(tmp_path)])
    assert hooked.post(PATH, json=posted(), headers={"authorization": ""}).status_code == 401
    assert hooked.post("/v1/webhooks/ander", json=posted()).status_code == 404
    assert client(outlet).post(PATH, json=posted()).status_code == 404
    assert outlet.sent == []


def test_what_is_posted_again_under_its_key_goes_out_once(tmp_path: Path) -> None:
    outlet = Outlet()
    hooked = client(outlet, webhooks=[profile(tmp_path)])
    answers = [hooked.post(PATH, json=posted(), headers={"idempotency-key": "k"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert len(outlet.sent) == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('format = "json"\nrecords = "item"', 'format = "csv"', "source.format must be json"),
        ('{ column = "mutatie" }', '{ derive = ["mutatie"] }', "derive"),
    ],
)
def test_a_profile_that_cannot_be_posted_is_refused(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in PROFILE
    with pytest.raises(ProfileError, match=told):
        profile(tmp_path, PROFILE.replace(old, new))


def test_a_state_cannot_be_posted(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "sources" / "profiles" / "ddas-trajectories.toml").read_text()
    with pytest.raises(ProfileError, match="webhook: a trajectory-state"):
        profile(tmp_path, text.replace("[source]", "[webhook]\n\n[source]", 1))


def test_no_packaged_profile_claims_a_webhook_that_its_system_does_not_document() -> None:
    assert [name for name in packaged_profiles() if load_profile(name).profile.webhook is not None] == []
