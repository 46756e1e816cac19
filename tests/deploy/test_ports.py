"""Free ports are free, different, and none that an outgoing connection may get."""

from __future__ import annotations

import socket

import pytest
from signaalwissel.deploy import ports
from signaalwissel.deploy.ports import free_ports


def test_ports_differ_and_can_be_listened_on() -> None:
    found = free_ports(3)
    assert len(set(found)) == 3
    for port in found:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(ports, "LOWEST", server.getsockname()[1])
        monkeypatch.setattr(ports, "HIGHEST", server.getsockname()[1])
        with pytest.raises(OSError, match="are in use"):
            free_ports(1)
