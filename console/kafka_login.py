"""Whether Kafka lets us in: looked at before a command opens its clients, and again when they failed.

Flows in: settings. Flows out: nothing, or a failure that says what is wrong with the login; the exit code is that of a
service that is away, as nothing that was asked could be done.
"""

from signaalwissel.console import runtime
from signaalwissel.console.failures import ServiceAway
from signaalwissel.console.settings import Settings


def check_login(settings: Settings) -> None:
    """Return when a broker lets us in, or when none is there: the client itself waits for that.

    Raises:
        ServiceAway: The brokers that are there refuse us, or we them; says why and names the setting.
        UsageFailure: A setting of the login cannot be used.
    """
    fault = fault_of(settings)
    if fault is not None:
        raise ServiceAway(f"Kafka at {fault}")


def fault_of(settings: Settings) -> str | None:
    """Where no broker lets us in, the address and why; None when one does, or none is there.

    Takes a few seconds at most; not for a thread in which an event loop runs. UsageFailure as `check_login`.
    """
    # Most commands need no Kafka; its client takes a moment to import.
    from signaalwissel.streams.login_check import login_fault  # noqa: PLC0415

    fault = login_fault(runtime.bootstrap(settings), runtime.aiokafka_connection(settings))
    return None if fault is None else f"{fault} (settings: SIGNAALWISSEL_KAFKA_SECURITY_...)"
