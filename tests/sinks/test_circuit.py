from signaalwissel.sinks.circuit import Circuit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def circuit(clock: Clock) -> Circuit:
    return Circuit(failures_max=3, pause_s=10.0, pause_s_max=35.0, clock=clock)


def test_so_many_failures_in_a_row_open_it_and_a_success_between_starts_the_count_anew() -> None:
    made = circuit(Clock())
    assert [made.failed(), made.failed()] == [False, False]
    made.succeeded()
    assert [made.failed(), made.failed(), made.failed()] == [False, False, True]
    assert (made.closed, made.pause_s) == (False, 10.0)


def test_half_open_a_failed_try_doubles_the_pause_up_to_its_bound() -> None:
    clock = Clock()
    made = circuit(clock)
    made.failed(for_good=True)
    pauses = []
    for _ in range(4):
        pauses.append(made.pause_s)
        clock.now += made.pause_s
        assert (made.pause_s, made.closed) == (0.0, False)
        assert made.failed()
    assert pauses == [10.0, 20.0, 35.0, 35.0]


def test_half_open_a_try_that_does_well_closes_it_and_the_next_pause_is_short_again() -> None:
    clock = Clock()
    made = circuit(clock)
    made.failed(for_good=True)
    clock.now += 10
    made.failed()
    clock.now += 20
    assert made.succeeded()
    assert made.closed
    made.failed(for_good=True)
    assert made.pause_s == 10.0


def test_a_success_of_a_closed_circuit_closes_nothing() -> None:
    assert circuit(Clock()).succeeded() is False


def test_what_the_service_asks_for_is_waited_for() -> None:
    made = circuit(Clock())
    assert made.failed(at_least_s=25.0)
    assert made.pause_s == 25.0
