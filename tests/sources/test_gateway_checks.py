"""Checks over HTTP: who may ask, what is told, and that nothing is told that is not on record."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation_lines import read_line
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.security.limits import RateLimit
from signaalwissel.sources.gateway_checks import Asked, Checks, ChecksAway, Reply

from tests.sources.gateway_support import Asks, Outlet, client, event, signal

CHECK = "/v1/toetsen"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def ask(asks: Asks | None, body: Any, subject: str = "ris", **headers: str) -> httpx.Response:
    answer: httpx.Response = client(subject=subject, asks=asks).post(CHECK, json=body, headers=headers)
    return answer


def asked(number: int) -> Asked:
    record = read_line("signals", signal(signal_id=f"S-{number}", received_at="2026-01-01T00:00:00Z"))
    assert isinstance(record, EarlySignal)
    return Asked(record, "ris", bytes(16))


def test_a_check_tells_route_and_reference_and_nothing_else() -> None:
    asks = Asks()
    answer = ask(asks, signal(municipality="GM0344"), traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": 200,
        "id": "S-1",
        "route": "REGULAR_FLOW",
        "reference": f"{TRACE}-{'0' * 16}",
    }
    [one] = asks.asked
    assert (one.signal.municipality, one.actor.rpartition("#")[2], one.trace_id.hex()) == (
        "0344",
        "ris",
        TRACE,
    )


def test_nothing_that_is_checked_goes_onto_kafka() -> None:
    outlet = Outlet()
    assert client(outlet, "ris", asks=Asks()).post(CHECK, json=[signal()] * 3).status_code == 200
    assert outlet.sent == []


@pytest.mark.parametrize("body", [signal(), [signal()], event()])
def test_a_partner_may_not_ask(body: Any) -> None:
    asks = Asks()
    assert ask(asks, body, "water-west").status_code == 403
    assert asks.asked == []


def test_whoever_may_ask_asks_for_their_own_municipalities_and_sends_nothing() -> None:
    asks = Asks()
    assert ask(asks, signal(municipality="0599")).status_code == 403
    assert client(subject="ris").post("/v1/signalen", json=signal()).status_code == 403
    assert asks.asked == []


def test_in_a_batch_each_signal_has_its_own_answer_and_all_have_one_trace() -> None:
    asks = Asks()
    answer = ask(asks, [signal(), signal(arrears="-1.00"), signal(signal_id="S-2", municipality="0599")])
    assert answer.status_code == 207
    assert [one["status"] for one in answer.json()["results"]] == [200, 400, 403]
    batch = ask(asks, [signal(signal_id=f"S-{number}") for number in range(5)]).json()["results"]
    assert [one["id"] for one in batch] == [f"S-{number}" for number in range(5)]
    assert len({one.trace_id for one in asks.asked[1:]}) == 1


def test_a_signal_that_only_the_keys_refuse_does_not_take_the_others_along() -> None:
    answer = ask(Asks(), [signal(signal_id="no-keys"), signal()])
    assert [one["status"] for one in answer.json()["results"]] == [400, 200]
    assert answer.json()["results"][0]["errors"][0]["field"] == "municipality"


def test_the_same_check_again_is_a_check_again_whatever_its_key() -> None:
    asks = Asks()
    headers = {"idempotency-key": "k"}
    answers = [ask(asks, signal(), **headers).json() for _ in range(2)]
    assert answers[0]["reference"] != answers[1]["reference"]
    assert len(asks.asked) == 2


def test_what_cannot_be_put_on_record_is_not_told() -> None:
    answer = ask(Asks(away=True), signal())
    assert (answer.status_code, "route" in answer.text) == (503, False)


def test_checks_are_off_unless_somebody_switches_them_on() -> None:
    assert ask(None, signal()).status_code == 503


def test_who_asks_too_often_waits() -> None:
    asks = Asks()
    browser = client(subject="ris", asks=asks, checks_per_s=5)
    assert browser.post(CHECK, json=[signal()] * 5).status_code == 200
    late = browser.post(CHECK, json=signal())
    assert (late.status_code, int(late.headers["retry-after"]) > 0) == (429, True)
    assert len(asks.asked) == 5


def test_what_comes_in_meanwhile_is_looked_up_together() -> None:
    rounds: list[int] = []
    began, gate = asyncio.Event(), asyncio.Event()

    def answers(every: Sequence[Asked]) -> list[Reply]:
        rounds.append(len(every))
        if len(rounds) == 1:
            loop.call_soon_threadsafe(began.set)
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10)
        return [Reply("REGULAR_FLOW", one.signal.signal_id) for one in every]

    async def run() -> list[str]:
        nonlocal loop
        loop = asyncio.get_running_loop()
        checks = Checks(answers, RateLimit(1e6, 1e6))
        first = asyncio.create_task(checks.replies([asked(0)]))
        await began.wait()
        others = [asyncio.create_task(checks.replies([asked(number)])) for number in range(1, 6)]
        await asyncio.sleep(0)
        gate.set()
        replies = [reply for task in (first, *others) for reply in await task]
        return [reply.reference for reply in replies if isinstance(reply, Reply)]

    loop: asyncio.AbstractEventLoop
    assert asyncio.run(run()) == [f"S-{number}" for number in range(6)]
    assert rounds == [1, 5]


def test_soon_after_a_look_what_comes_shares_the_next_one() -> None:
    rounds: list[int] = []

    def answers(every: Sequence[Asked]) -> list[Reply]:
        rounds.append(len(every))
        return [Reply("REGULAR_FLOW", one.signal.signal_id) for one in every]

    async def run() -> None:
        checks = Checks(answers, RateLimit(1e6, 1e6), apart_s=2.0)
        await checks.replies([asked(0)])
        soon = []
        for number in range(1, 4):
            soon.append(asyncio.create_task(checks.replies([asked(number)])))
            # Time enough for a look of its own, where none is waited for.
            await asyncio.sleep(0.05)
        await asyncio.gather(*soon)

    asyncio.run(run())
    assert rounds == [1, 3]


def test_after_a_failure_the_next_check_is_answered() -> None:
    asks = Asks(away=True)

    async def run() -> list[Reply | Rejected]:
        checks = Checks(asks, RateLimit(1e6, 1e6))
        with pytest.raises(ChecksAway):
            await checks.replies([asked(0), asked(1)])
        asks.away = False
        return list(await checks.replies([asked(2)]))

    assert len(asyncio.run(run())) == 1
