"""What a health check is told of a sink."""

from signaalwissel.sinks.standing import SinkStanding


def test_a_sink_that_does_not_own_its_partitions_is_not_ready() -> None:
    noted = SinkStanding()
    assert noted.standing().unready
    noted.begins()
    assert noted.standing().unready == ()
    noted.session_ends()
    assert noted.standing().unready


def test_rounds_that_store_or_find_nothing_unread_are_progress() -> None:
    noted = SinkStanding()
    seen = [noted.standing().moved]
    for stored, behind in ((True, 5), (False, 0)):
        noted.round_ends(stored=stored, behind=behind)
        seen.append(noted.standing().moved)
    assert seen == [0, 1, 2]


def test_rounds_that_bring_nothing_although_records_are_there_are_none() -> None:
    noted = SinkStanding()
    noted.round_ends(stored=False, behind=3)
    found = noted.standing()
    assert (found.moved, found.due) == (0, "a round of the sink is under way, 3 offsets behind")


def test_a_sink_that_the_processing_log_holds_is_not_ready_and_not_stuck() -> None:
    noted = SinkStanding()
    noted.begins()
    noted.held()
    found = noted.standing()
    assert found.due is None
    assert found.unready == ("the processing log is too far behind: the sink takes in nothing more",)
    noted.round_ends(stored=True, behind=0)
    assert noted.standing().unready == ()
