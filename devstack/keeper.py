"""services that several test processes share: the first to want one starts it, the last to let go stops it.

`shared("postgres", folder)` takes a shared lock on a file. a keeper process, started by whoever comes first, runs the
service and ends as soon as nobody holds that lock any more: also when holders are killed, since the kernel lets go of
their locks.
"""

import argparse
import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from devstack import network, postgres
from devstack.paths import ROOT

POLL_S = 0.2


class KeeperFailed(Exception):
    """the shared service did not start; the message is what its keeper said."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """hold an exclusive lock on `file` while the block runs: one process at a time."""
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(service: str, folder: Path) -> Iterator[dict[str, Any]]:
    """have a service run while the block runs; yields what its keeper says of it.

    `folder` is the same for all who share; service is a name of `SERVICES`. errors: KeeperFailed
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with locked(folder / "start.lock"):
            ready = folder / "ready.json"
            if not ready.is_file():
                _start_keeper(service, folder)
            facts: dict[str, Any] = json.loads(ready.read_text())
        yield facts


def _start_keeper(service: str, folder: Path) -> None:
    log = folder / "keeper.log"
    pid = _spawn_detached([sys.executable, "-m", "devstack.keeper", service, str(folder)], log)
    while not (folder / "ready.json").is_file():
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            raise KeeperFailed(f"{service} did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.02)


def _spawn_detached(argv: list[str], log: Path) -> int:
    # not `subprocess`: it complains about a process that is meant to outlive its object
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return os.posix_spawn(argv[0], argv, env, file_actions=actions, setsid=True)


@contextmanager
def _postgres(folder: Path) -> Iterator[dict[str, Any]]:
    with postgres.running(folder / "postgres", durable=False) as server:
        yield {"admin_url": server.url("postgres")}


@contextmanager
def _network(folder: Path) -> Iterator[dict[str, Any]]:
    with network.running_on_free_ports(folder / "network") as running:
        yield json.loads(running.to_json())


SERVICES: dict[str, Callable[[Path], AbstractContextManager[dict[str, Any]]]] = {
    "postgres": _postgres,
    "network": _network,
}


def keep(service: str, folder: Path) -> None:
    """run a service until nobody holds the users' lock."""
    ready = folder / "ready.json"
    with (folder / "users.lock").open("a") as users, SERVICES[service](folder) as facts:
        draft = ready.with_suffix(".new")
        draft.write_text(json.dumps(facts))
        draft.rename(ready)
        while not _nobody_holds(users.fileno()):
            time.sleep(POLL_S)
        ready.unlink()


def _nobody_holds(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="run a shared test service while it is wanted")
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    keep(arguments.service, arguments.folder)
