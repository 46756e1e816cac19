"""Free ports of this machine. Flows out: numbers that nothing listens on at 127.0.0.1."""

from __future__ import annotations

import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
# Below the ports that systems hand to outgoing connections: a server that restarts finds its own one free.
LOWEST: Final = 15_000
HIGHEST: Final = 32_000
ATTEMPTS: Final = 200


def free_ports(count: int) -> list[int]:
    """Return `count` different ports; another program may still take one first, so starts must be retried."""
    system = random.SystemRandom()
    found: list[int] = []
    for _ in range(ATTEMPTS):
        port = system.randint(LOWEST, HIGHEST)
        if port not in found and _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"{ATTEMPTS} ports of {LOOPBACK} between {LOWEST} and {HIGHEST} were tried and are in use")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: a closed one is no hindrance
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
