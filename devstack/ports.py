"""ports on loopback: free ones for tests, and a clear word when one that is needed is taken."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack

import psutil

HOST = "127.0.0.1"


class PortTaken(Exception):
    """somebody listens where we must; the message names the port, who holds it if knowable, and what to do."""


def free_ports(count: int) -> list[int]:
    """return `count` different ports nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def is_taken(port: int) -> bool:
    """say whether a port cannot be listened on at 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def require_free(wanted: Mapping[str, int]) -> None:
    """check that each named port can be listened on; errors: PortTaken, naming all that are not."""
    taken = {name: port for name, port in wanted.items() if is_taken(port)}
    if taken:
        raise PortTaken("\n".join(_explain(name, port) for name, port in taken.items()))


def _explain(name: str, port: int) -> str:
    holder = holder_of(port)
    if holder is None:
        return f"port {port} ({name}) is taken by a process of another user. stop that one, then start again."
    command = " ".join(holder.cmdline())[:120] or holder.name()
    return f"port {port} ({name}) is taken by process {holder.pid}: {command}\n  kill {holder.pid}, then start again."


def holder_of(port: int) -> psutil.Process | None:
    """return the process that listens on a port, or None when it is not ours to see."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid:
            try:
                return psutil.Process(connection.pid)
            except psutil.NoSuchProcess:
                return None
    return None
