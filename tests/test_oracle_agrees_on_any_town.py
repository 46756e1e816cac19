"""The rules and the independent oracle agree on histories that no case system would tell, in any order of arrival.

The generated months are believable; here events name the wrong people or nobody, come in any order, and the clock
jumps, so that what waits expires at odd moments. What differs is shrunk to the few lines that matter.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.simulation import Simulation
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.oracle import check
from tests.processors.strategies import Town, towns


def line(record: Any) -> dict[str, Any]:
    """A record as a line of a file."""
    if isinstance(record, EarlySignal):
        return {"topic": "signals", "value": codec("EarlySignal").to_json(record)}
    return {"topic": "trajectories", "value": codec("TrajectoryEvent").to_json(record)}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(towns(), st.data())
def test_every_record_of_any_town_is_decided_as_the_oracle_says(town: Town, data: st.DataObject) -> None:
    twice = data.draw(st.lists(st.sampled_from(town.events), max_size=2))
    lines = [line(one) for one in data.draw(st.permutations([*town.events, *town.signals, *twice]))]
    simulation = Simulation(packaged_policies(for_every_code=True), ThrowawayKeys(), fresh_nonce)
    outputs = [output for one in lines for output in simulation.feed(one)]
    assert check(lines, outputs) == []
