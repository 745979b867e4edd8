"""a port that is taken is named, with who holds it."""

import os
import socket
from collections.abc import Iterator

import pytest

from devstack.ports import HOST, PortTaken, free_ports, require_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    """a port this process listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_require_free_names_port_and_holder(taken_port: int) -> None:
    with pytest.raises(PortTaken, match=rf"port {taken_port} \(api\) is taken by process {os.getpid()}"):
        require_free({"api": taken_port})


def test_require_free_accepts_free_ports() -> None:
    web, api = free_ports(2)
    assert web != api
    require_free({"web": web, "api": api})
