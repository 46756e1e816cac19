"""Beleid: the policy of a municipality in words, and what another one would change.

In: a municipality; settings to try out. Out: the policy; how many signals would be answered otherwise. It cannot change
a policy: it only answers GET, reads the database in a read-only transaction, knows no folder of policies, and makes
another policy as a value that is forgotten with the page. Of recent decisions it tells counts alone; single signals are
those of residents who do not exist.
"""

import threading
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.parts import Page, Pages, Parts, session_of
from signaalwissel.console.webpages.policy_words import KINDS, in_words, sections
from signaalwissel.processors.access import Action, Principal, Target, may
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.comparison import Comparison, Trial
from signaalwissel.processors.policy import Policy, PolicyError
from signaalwissel.processors.policy_replay import Replay
from signaalwissel.processors.policy_trial import Setting, differences, only, tried
from signaalwissel.processors.simulation import Simulation
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sinks.recent_decisions import RECENT_MAX, Recent, recent_decisions, trajectories_of
from signaalwissel.sinks.web_reads import now_of
from signaalwissel.sources.generator import generate

DAYS = 92
"""How far back decisions are answered again."""
_RESIDENTS, _SIGNALS, _SEED, _HISTORY = 600, 250, 8, 0.6
_SHOWN = 25
_PATIENCE_S = 20.0
_RECENT, _MADE_UP = "recent", "voorbeeld"


class Outcome(NamedTuple):
    """What another policy would change.

    Attributes:
        changes: The settings, as they are and as they would be.
        total: Signals that were answered under both.
        untested: Signals that could not be.
        of: For how many signals somebody was found; more than were tried where there are many.
    """

    source: str
    changes: list[tuple[Setting, Setting]]
    total: int
    untested: int
    of: int
    comparison: Comparison

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """How many signals change in which way."""
        return [(KINDS[kind], count) for kind, count in self.comparison.totals.items() if count]

    @property
    def changed(self) -> int:
        """How many signals change."""
        return len(self.comparison.differences)

    @property
    def rows(self) -> list[object]:
        """Some signals that change: only of residents who do not exist."""
        return list(self.comparison.differences[:_SHOWN]) if self.source == _MADE_UP else []


class PolicyPage(Page):
    """The page.

    Args:
        parts: What it is made of.
        pages: Makes the page.
    """

    def __init__(self, parts: Parts, pages: Pages) -> None:
        super().__init__(parts, pages)
        # A trial takes a second or two of a processor: one at a time.
        self._busy = threading.Lock()

    def routes(self) -> APIRouter:
        """Its route: GET alone."""
        router = APIRouter()
        router.add_api_route("/beleid", self.show, methods=["GET"])
        return router

    def show(self, request: Request, gemeente: str = "", bron: str = "") -> HTMLResponse:
        """The policy; and where `bron` says on what to try it, what the settings in the address would change."""
        principal = session_of(request).principal
        codes = rights.municipalities_for(principal, Action.READ_POLICY)
        chosen = gemeente or next(iter(codes), "")
        if chosen not in codes:
            raise Problem(403, "U mag dit beleid niet zien.")
        policy = self._parts.policies.get(chosen)
        if policy is None:
            raise Problem(404, f"Voor gemeente {chosen} is geen beleid ingesteld.")
        may_try = may(principal, Action.READ_FIGURES, Target(municipality=chosen))
        problem, outcome, status = None, None, 200
        filled = _given(request)
        if bron:
            if not may_try or bron not in {_RECENT, _MADE_UP}:
                raise Problem(403, "U mag hier geen ander beleid proberen.")
            try:
                other = tried(policy, filled)
                outcome = self._outcome(principal, chosen, bron, policy, other)
            except PolicyError as refused:
                problem, status = str(refused), 400
        return self._pages.page(
            request,
            "policy.html",
            status,
            title="Beleid",
            codes=codes,
            chosen=chosen,
            version=policy.version,
            sections=sections(policy, self._parts.policies.default),
            filled=filled,
            may_try=may_try,
            source=bron or _RECENT,
            sources=(
                (_RECENT, f"de beslissingen van de laatste {DAYS} dagen"),
                (_MADE_UP, "een verzonnen maand"),
            ),
            problem=problem,
            outcome=outcome,
            in_words=in_words,
            days=DAYS,
            most=RECENT_MAX,
        )

    def _outcome(
        self, principal: Principal, code: str, source: str, policy: Policy, other: Policy
    ) -> Outcome:
        if not self._busy.acquire(timeout=_PATIENCE_S):
            raise Problem(503, "Iemand anders probeert nu een beleid. Probeer het over een minuut opnieuw.")
        try:
            changes = differences(policy, other)
            if source == _RECENT:
                recent, replay = self._recent(principal, code)
                comparison = Comparison(replay.answers(policy), replay.answers(other))
                untested = replay.untested + recent.nobody
                return Outcome(source, changes, replay.tested, untested, recent.somebody, comparison)
            comparison = _made_up(code, policy, other)
            total = comparison.unchanged + len(comparison.differences)
            return Outcome(source, changes, total, 0, total, comparison)
        finally:
            self._busy.release()

    def _recent(self, principal: Principal, code: str) -> tuple[Recent, Replay]:
        with self._parts.rows(principal) as connection:
            since: date = amsterdam_day(now_of(connection)) - timedelta(days=DAYS)
            recent = recent_decisions(connection, code, since)
            return recent, Replay(recent.decided, trajectories_of(connection, code, recent.decided))


def _made_up(code: str, policy: Policy, other: Policy) -> Comparison:
    """What changes in a month of residents who do not exist, by the machinery of `simulate --compare`."""
    trials = [Trial(Simulation(only(one), ThrowawayKeys(), fresh_nonce)) for one in (policy, other)]
    for line in generate(_RESIDENTS, _SIGNALS, _SEED, municipalities=(code,), history=_HISTORY):
        for trial in trials:
            trial.feed(line)
    return Comparison(trials[0].answers(), trials[1].answers())


def _given(request: Request) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        # An empty one of a list says that the form had it: a box that nobody ticks is not sent.
        values = found.setdefault(name, [])
        if value:
            values.append(value)
    return found
