"""What a fault run makes of a row that cannot go on."""

import subprocess

import psycopg
import pytest
from kafka.errors import KafkaTimeoutError
from signaalwissel.deploy.errors import ServerFailed

from tests.faults.product import Stuck
from tests.faults.run import Gate, GateFailed, failing


@pytest.mark.parametrize(
    "broken",
    [
        Stuck("3 is left to read"),
        GateFailed("too slow"),
        KafkaTimeoutError(),
        psycopg.OperationalError("no more sessions"),
        ServerFailed("it does not start"),
        ConnectionResetError(),
        subprocess.TimeoutExpired("pg_dump", 60),
    ],
)
def test_what_a_server_does_to_a_row_is_a_problem_of_its_gate(broken: Exception) -> None:
    gate = Gate(5, "PostgreSQL stopped")
    with failing(gate):
        raise broken
    assert len(gate.problems) == 1


def test_a_bug_in_a_row_ends_the_run() -> None:
    with pytest.raises(KeyError), failing(Gate(5, "PostgreSQL stopped")):
        raise KeyError("intake")
