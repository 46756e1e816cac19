"""What is planted in the stages of a fault run reaches the engine."""

import pytest
from signaalwissel.streams import agent_settings
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.topics import Names

from tests.faults.launch import short_session


def test_sessions_and_sweeps_of_a_fault_run_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    given = EngineSettings.__init__.__kwdefaults__
    assert given is not None
    for name in ("session_timeout_s", "heartbeat_s", "rebalance_timeout_s"):
        monkeypatch.setitem(given, name, given[name])
    monkeypatch.setattr(agent_settings, "_SWEEP_INTERVAL_S", agent_settings._SWEEP_INTERVAL_S)
    short_session()
    engine = agent_settings.AgentSettings(names=Names(), bootstrap="127.0.0.1:9092").engine(
        "app", ["signals"]
    )
    assert (engine.session_timeout_s, engine.sweep_interval_s) == (3.0, 2.0)
