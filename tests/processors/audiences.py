"""What the counsellor's side and the regular side hold, from their own topics alone."""

from signaalwissel.processors.emissions import Emission
from signaalwissel.schemas.contract import codec


class CounsellorSide:
    """Signals with counsellors: which, and for which trajectory."""

    def __init__(self) -> None:
        self.holds: dict[str, str] = {}

    def read(self, emission: Emission) -> None:
        """Take the next record; a contradiction is an error."""
        trajectory_id = emission.key.decode().split("/", 1)[1]
        if emission.topic == "counsellor-followup":
            routed = codec("RoutedSignal").decode(emission.value)
            assert routed.signal_id not in self.holds
            assert routed.trajectory_id == trajectory_id
            self.holds[routed.signal_id] = trajectory_id
        elif emission.topic == "counsellor-corrections":
            told = codec("RouteCorrection").decode(emission.value)
            assert told.cause is not None
            if told.action == "WITHDRAWN":
                assert told.to is None
                assert self.holds.pop(told.signal_id) == trajectory_id
            elif told.action == "MOVED":
                assert told.signal_id not in self.holds
                assert told.to.trajectory_id == trajectory_id
                self.holds[told.signal_id] = trajectory_id
            else:
                assert self.holds[told.signal_id] == told.to.trajectory_id == trajectory_id


class RegularSide:
    """Signals in the regular flow."""

    def __init__(self) -> None:
        self.holds: set[str] = set()

    def read(self, emission: Emission) -> None:
        """Take the next record; a contradiction is an error."""
        if emission.topic == "regular-flow":
            routed = codec("RoutedSignal").decode(emission.value)
            assert routed.signal_id not in self.holds
            self.holds.add(routed.signal_id)
        elif emission.topic == "regular-corrections":
            told = codec("RouteCorrection").decode(emission.value)
            assert told.cause is None
            if told.action == "WITHDRAWN":
                assert told.to is None
                self.holds.remove(told.signal_id)
            else:
                assert told.action == "MOVED"
                assert told.signal_id not in self.holds
                self.holds.add(told.signal_id)
