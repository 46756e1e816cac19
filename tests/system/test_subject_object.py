"""An objection (AVG 21) counts before and after a trajectory comes, is withdrawn, and stands after a rebuild."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.database import open_engine
from signaalwissel.streams.clock import now_ms
from sqlalchemy import text

from tests.system.installation import Installation
from tests.system.rights import Rights, bsns, event, signal

pytestmark = pytest.mark.timeout(600)

(BSN,) = bsns(1)
ABOUT = {"bsn": BSN}


def moment(days_ago: int = 0) -> str:
    at = datetime.fromtimestamp(now_ms() / 1000, UTC) - timedelta(days=days_ago, minutes=5)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_it_counts_until_it_is_withdrawn_whatever_came_first(install: Callable[..., Installation]) -> None:
    # Notices of what a trajectory says come with the deadlines.
    product = install(partitions=2, extra={"SIGNAALWISSEL_CLOCK": "database"})
    product.start("worker")
    product.start("sink")
    rights = Rights(product)

    def reason(signal_id: str) -> str:
        product.publish([signal(signal_id, ABOUT, moment())])
        product.settle(sink=True)
        found = [one for one in product.decisions() if one.signal_id == signal_id]
        return max(found, key=lambda one: one.revision).reason.value

    def notices(kind: str) -> int:
        statement = text("SELECT count(*) FROM notices WHERE kind = :kind")
        with open_engine(product.database_url, name="test").connect() as connection:
            return int(connection.execute(statement, {"kind": kind}).scalar_one())

    def told() -> Counter[str]:
        return Counter(codec("NoticeEvent").decode(one.value).kind.value for one in product.read("notices"))

    assert rights("object", "--withdraw", about=ABOUT).code == 1
    assert rights("object", "--dry-run", about=ABOUT).code == 0
    assert notices("OBJECTION_RECORDED") == 0
    lodged = rights("object", about=ABOUT)
    assert (lodged.code, lodged.json["trajectories"]) == (0, 0), lodged.err
    assert notices("OBJECTION_RECORDED") == 1
    product.publish([event("T-1", "APPLIED", 1, moment(30), clients=[ABOUT])])
    product.settle(sink=True)
    product.wait_until(lambda: bool(product.read("intake-commands")), "the objection reaches intake")
    product.settle(sink=True)
    assert reason("s-1") == "OBJECTION"
    withdrawn = rights("object", "--withdraw", about=ABOUT)
    assert (withdrawn.code, withdrawn.json["trajectories"]) == (0, 1), withdrawn.err
    product.wait_until(lambda: len(product.read("intake-commands")) == 2, "the withdrawal reaches intake")
    product.settle(sink=True)
    assert reason("s-2") == "RUNNING_TRAJECTORY"
    product.wait_until(lambda: "OBJECTION_WITHDRAWN" in told(), "the withdrawal is told on `notices`")
    assert (notices("OBJECTION_WITHDRAWN"), told()["OBJECTION_WITHDRAWN"]) == (1, 1)
    assert rights("object", about=ABOUT).code == 0
    product.wait_until(
        lambda: len(product.read("intake-commands")) == 3, "the second objection reaches intake"
    )
    product.settle(sink=True)
    assert reason("s-3") == "OBJECTION"
    before = len(product.read("intake-commands"))
    rebuilt = product.start("rebuild")
    assert rebuilt.wait(60) == 0, product.logs()
    product.wait_until(lambda: len(product.read("intake-commands")) > before, "the objection is given again")
    product.settle(sink=True)
    assert reason("s-4") == "OBJECTION"
    kinds = [one["kind"] for one in map(_request, rights("requests", "--json").out.splitlines())]
    assert kinds == ["OBJECT", "WITHDRAW_OBJECTION", "OBJECT"]


def _request(line: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(line)
    return found
