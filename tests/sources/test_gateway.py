"""What the gateway takes, what it refuses, and what it says of either."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from signaalwissel.schemas.contract import codec
from signaalwissel.security.http_problems import Problem
from signaalwissel.sources.gateway_keys import AGE_S, Answer, IdempotencyKeys
from signaalwissel.sources.gateway_messages import BATCH_MAX

from tests.sources.gateway_support import Outlet, client, event, only, signal, update

SIGNALS, EVENTS, UPDATES = "/v1/signalen", "/v1/trajectgebeurtenissen", "/v1/taakupdates"
CE = {"ce-id": "1", "ce-source": "urn:x", "ce-specversion": "1.0"}
SIGNAL_TYPE = "nl.vroegsignalering.signaal-ontvangen"


def cloud(data: Any, kind: str = SIGNAL_TYPE, **changed: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "urn:x", "type": kind, "data": data, **changed}


def as_cloud(
    browser: TestClient, path: str, content: Any, media: str = "application/cloudevents+json"
) -> Any:
    return browser.post(path, content=json.dumps(content), headers={"content-type": media})


@pytest.mark.parametrize(
    ("path", "body", "schema", "topic", "key", "number"),
    [
        (
            SIGNALS,
            signal(received_at="2026-05-28T09:00:00Z"),
            "EarlySignal",
            "p-signals",
            b"water-west/S-1",
            "S-1",
        ),
        (EVENTS, event(), "TrajectoryEvent", "p-trajectories", b"0344/T-1", "e-1"),
        (UPDATES, update(), "TaskUpdate", "p-task-updates", b"t-1", "u-1"),
    ],
)
def test_a_good_record_is_on_its_topic_under_its_key(
    path: str, body: Any, schema: str, topic: str, key: bytes, number: str
) -> None:
    outlet = Outlet()
    answer = client(outlet).post(path, json=body)
    assert (answer.status_code, answer.json()["id"]) == (202, number)
    [sent] = outlet.sent
    assert (sent.topic, sent.key) == (topic, key)
    assert sent.headers["ce_id"].decode() == answer.json()["event_id"]
    assert sent.headers["ce_source"] == b"urn:nld:test"
    assert codec(schema).decode(sent.value) == codec(schema).from_json(body)


def test_a_signal_without_a_moment_gets_the_moment_of_its_receipt() -> None:
    outlet = Outlet()
    client(outlet).post(SIGNALS, json=signal())
    stored = codec("EarlySignal").to_json(codec("EarlySignal").decode(outlet.sent[0].value))
    assert stored["received_at"] == "2026-05-28T20:26:40.000Z"


@pytest.mark.parametrize("written", ["0344", "344", "GM0344", "gm344", " 0344 ", 344])
def test_a_municipality_code_may_be_written_in_several_ways(written: object) -> None:
    outlet = Outlet()
    assert client(outlet).post(SIGNALS, json=signal(municipality=written)).status_code == 202
    assert codec("EarlySignal").decode(outlet.sent[0].value).municipality == "0344"


@pytest.mark.parametrize(
    "written", ["", "GM", "00344", "GM0344a", "GM0000", 0, -1, 99999, True, 3.5, ["0344"]]
)
def test_another_text_is_no_municipality_code(written: object) -> None:
    answer = client().post(SIGNALS, json=signal(municipality=written))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["municipality"]


def test_every_finding_comes_at_once_and_no_value_comes_back() -> None:
    outlet = Outlet()
    bad = signal(signal_id="", subject={"bsn": "123456789", "postcode": "x"}, arrears="-5.00", crisis="no")
    answer = client(outlet).post(SIGNALS, json=bad)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["field"] for error in answer.json()["errors"]} == {
        "signal_id",
        "subject.bsn",
        "subject.postcode",
        "arrears",
        "crisis",
    }
    assert "123456789" not in answer.text
    assert outlet.sent == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (SIGNALS, signal(signalled_on="2099-01-01"), "signalled_on"),
        (SIGNALS, signal(received_at="2099-01-01T00:00:00Z"), "received_at"),
        (SIGNALS, signal(unknown=1), None),
        (EVENTS, event(kind="EXITED"), "exit_reason"),
        (EVENTS, event(recorded_at="2099-01-01T00:00:00Z"), "recorded_at"),
        (EVENTS, event(clients=[]), "clients"),
        (UPDATES, update(client=5), "client"),
        (UPDATES, update(by=""), "by"),
    ],
)
def test_the_rules_of_intake_hold_at_the_door(path: str, body: Any, field: str | None) -> None:
    answer = client().post(path, json=body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (signal(municipality="0599"), 403),
        (signal(partner={"partner_id": "energie-noord", "kind": "ENERGY"}), 403),
        (signal(municipality="0363"), 202),
    ],
)
def test_a_program_speaks_for_its_own_municipalities_and_partners(body: Any, status: int) -> None:
    outlet = Outlet()
    assert client(outlet).post(SIGNALS, json=body).status_code == status
    assert len(outlet.sent) == (status == 202)


def test_the_allow_list_of_publishers_holds_for_the_gateways_topic_too() -> None:
    limits = only(municipalities=frozenset({"0363"}))
    assert client(publishers=limits).post(SIGNALS, json=signal()).status_code == 403
    assert client(publishers=limits).post(SIGNALS, json=signal(municipality="0363")).status_code == 202


def test_who_is_no_integrator_sends_nothing() -> None:
    assert client(subject="somebody").post(SIGNALS, json=signal()).status_code == 403
    assert client().post(SIGNALS, json=signal(), headers={"authorization": ""}).status_code == 401


def test_a_task_of_another_municipality_is_as_unknown_as_none() -> None:
    outlet = Outlet()
    answers = [client(outlet).post(UPDATES, json=update(task_id=task)) for task in ("t-2", "t-9")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert outlet.sent == []


def test_task_updates_wait_for_the_database() -> None:
    assert client().post(UPDATES, json=update(task_id="broken")).status_code == 503
    assert client(tasks=None).post(UPDATES, json=update()).status_code == 503
    assert client(tasks=None).post(SIGNALS, json=signal()).status_code == 202


def test_a_cloudevent_is_taken_in_each_mode() -> None:
    outlet = Outlet()
    browser = client(outlet)
    assert as_cloud(browser, SIGNALS, cloud(signal())).status_code == 202
    assert browser.post(SIGNALS, json=signal(), headers={**CE, "ce-type": SIGNAL_TYPE}).status_code == 202
    batch = as_cloud(browser, SIGNALS, [cloud(signal())], "application/cloudevents-batch+json; charset=utf-8")
    assert [result["status"] for result in batch.json()["results"]] == [202]
    assert len(outlet.sent) == 3
    opened = cloud(event(), "nl.schuldhulpverlening.traject-applied")
    assert as_cloud(browser, EVENTS, opened).status_code == 202


@pytest.mark.parametrize(
    "content",
    [
        cloud(signal(), "nl.schuldhulpverlening.traject-exited"),
        cloud(signal(), specversion="0.3"),
        cloud(signal(), id=""),
        cloud(signal(), source=5),
        cloud(signal(), datacontenttype="application/avro"),
        cloud(signal(), datacontenttype=7),
        {"specversion": "1.0", "id": "1", "source": "x", "type": SIGNAL_TYPE},
        {"data": signal()},
        5,
        [],
    ],
)
def test_a_cloudevent_that_is_none_is_refused(content: Any) -> None:
    outlet = Outlet()
    answer = as_cloud(client(outlet), SIGNALS, content)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert outlet.sent == []


def test_half_a_set_of_headers_is_no_cloudevent() -> None:
    answer = client().post(SIGNALS, json=signal(), headers={"ce-id": "1", "ce-type": SIGNAL_TYPE})
    assert answer.status_code == 400
    assert "source" in answer.json()["errors"][0]["rule"]


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/xml", 415),
        (b"{", "application/json", 400),
        (b'{"a":NaN}', "application/json", 400),
        (b'{"signal_id":"a","signal_id":"b"}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"9" * 5000, "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
    ],
)
def test_a_body_that_is_no_json_of_ours_is_refused(body: bytes, media: str, status: int) -> None:
    answer = client().post(SIGNALS, content=body, headers={"content-type": media})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_batch_has_a_result_for_each_item() -> None:
    outlet = Outlet()
    outlet.away = lambda key: key.endswith(b"S-4")
    bodies = [
        signal(),
        signal(signal_id="S-2", arrears="0"),
        signal(signal_id="S-3", municipality="0599"),
        signal(signal_id="S-4"),
    ]
    answer = client(outlet).post(SIGNALS, json=bodies)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [202, 400, 403, 503]
    assert [result["index"] for result in results] == [0, 1, 2, 3]
    assert results[1]["errors"][0]["field"] == "arrears"
    assert [sent.key for sent in outlet.sent] == [b"water-west/S-1"]


def test_a_batch_keeps_its_order() -> None:
    outlet = Outlet()
    bodies = [event(event_id=f"e-{number}", sequence=number) for number in range(50)]
    assert client(outlet).post(EVENTS, json=bodies).status_code == 202
    assert [codec("TrajectoryEvent").decode(sent.value).sequence for sent in outlet.sent] == list(range(50))


def test_a_batch_of_which_nothing_is_good_is_one_problem_with_every_finding() -> None:
    answer = client().post(SIGNALS, json=[signal(arrears="0"), signal(arrears="0", signal_id="")])
    assert answer.status_code == 400
    assert [(error["index"], error["field"]) for error in answer.json()["errors"]] == [
        (0, "arrears"),
        (1, "signal_id"),
        (1, "arrears"),
    ]


def test_a_batch_is_bounded() -> None:
    assert client().post(SIGNALS, json=[1] * (BATCH_MAX + 1)).status_code == 400


def test_without_the_broker_the_answer_is_to_come_back_later() -> None:
    outlet = Outlet(away=lambda _: True)
    for body in (signal(), [signal(), signal(signal_id="S-2")]):
        answer = client(outlet).post(SIGNALS, json=body)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert client(outlet).get("/readyz").status_code == 503
    assert client(outlet).get("/livez").status_code == 200
    assert client().get("/readyz").status_code == 200


def test_a_trace_is_passed_on_and_anything_else_is_not() -> None:
    outlet = Outlet()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for value in (trace, "999990019"):
        client(outlet).post(SIGNALS, json=signal(), headers={"traceparent": value})
    assert outlet.sent[0].headers["traceparent"] == trace.encode()
    assert "traceparent" not in outlet.sent[1].headers


def test_every_answer_tells_the_version_of_the_api() -> None:
    browser = client()
    answers = [
        browser.post(SIGNALS, json=signal()),
        browser.post(SIGNALS, json={}),
        browser.get("/nowhere"),
        browser.get(SIGNALS),
        browser.get("/v1/openapi.json"),
    ]
    assert [answer.status_code for answer in answers] == [202, 400, 404, 405, 200]
    assert {answer.headers["api-version"] for answer in answers} == {"1.0.0"}
    assert answers[3].headers["allow"] == "POST"


class TestIdempotencyKeys:
    def test_the_same_request_again_gets_the_same_answer_and_does_nothing(self) -> None:
        outlet = Outlet()
        browser = client(outlet)
        headers = {"idempotency-key": "k-1"}
        answers = [browser.post(SIGNALS, json=signal(), headers=headers) for _ in range(3)]
        assert {answer.text for answer in answers} == {answers[0].text}
        assert len(outlet.sent) == 1

    def test_another_request_under_the_same_key_is_refused(self) -> None:
        browser = client()
        headers = {"idempotency-key": "k-1"}
        browser.post(SIGNALS, json=signal(), headers=headers)
        assert browser.post(SIGNALS, json=signal(arrears="9.00"), headers=headers).status_code == 400
        assert browser.post(EVENTS, json=event(), headers=headers).status_code == 202

    def test_what_was_not_taken_may_be_tried_again_under_the_same_key(self) -> None:
        outlet = Outlet(away=lambda _: True)
        browser = client(outlet)
        headers = {"idempotency-key": "k-1"}
        assert browser.post(SIGNALS, json=signal(), headers=headers).status_code == 503
        outlet.away = lambda _: False
        assert browser.post(SIGNALS, json=signal(arrears="0"), headers=headers).status_code == 400
        assert browser.post(SIGNALS, json=signal(), headers=headers).status_code == 202

    @pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\x7f"])
    def test_a_key_of_another_form_is_refused(self, key: str) -> None:
        assert client().post(SIGNALS, json=signal(), headers={"idempotency-key": key}).status_code == 400

    def test_a_request_that_is_under_way_is_not_begun_twice(self) -> None:
        keys = IdempotencyKeys(lambda: 0.0)
        assert keys.begin("a", "p", "k", b"1") is None
        with pytest.raises(Problem) as refused:
            keys.begin("a", "p", "k", b"1")
        assert refused.value.status == 409
        assert keys.begin("b", "p", "k", b"2") is None

    def test_keys_are_bounded_in_number_bytes_and_age(self) -> None:
        now = [0.0]
        keys = IdempotencyKeys(lambda: now[0], keys_max=10)
        for number in range(25):
            keys.begin("a", "p", str(number), b"")
            keys.end("a", "p", str(number), Answer(202, b"x" * (20 << 20)))
        assert len(keys) == 3
        now[0] = AGE_S
        keys.begin("a", "p", "new", b"")
        assert len(keys) == 1
        for number in range(25):
            keys.begin("a", "p", f"n{number}", b"")
        assert len(keys) == 10
