"""who runs on a data folder, and what a killed run left behind."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil

GRACE_S = 12.0


class AlreadyRunning(Exception):
    """another stack uses this data folder; the message says which process."""


class RunFile:
    """`run.json` in a data folder: the supervisor and its children, by process id and birth."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._children: list[tuple[str, int, float]] = []

    def take_over(self) -> None:
        """make sure nobody else uses the folder, waiting for (then ending) what a killed run left.

        cost: nothing, or up to some seconds right after a kill -9
        errors: AlreadyRunning
        """
        before = self._read()
        owner = before.get("supervisor")
        if owner and _is_same(*owner) and owner[0] != os.getpid():
            raise AlreadyRunning(f"it already runs here, as process {owner[0]}. stop that one first (kill {owner[0]}).")
        left = [(pid, born) for _name, pid, born in before.get("children", [])]
        deadline = time.monotonic() + GRACE_S
        while any(_is_same(*one) for one in left):
            if time.monotonic() > deadline:
                _end([pid for pid, born in left if _is_same(pid, born)])
                break
            time.sleep(0.1)
        self._write()

    def add(self, name: str, pid: int) -> None:
        """note a child."""
        try:
            self._children.append((name, pid, psutil.Process(pid).create_time()))
        except psutil.NoSuchProcess:
            return
        self._write()

    def remove(self) -> None:
        """everything has stopped."""
        self._file.unlink(missing_ok=True)

    def supervisor(self) -> int | None:
        """return the process that runs a stack on this folder now, if one does."""
        owner = self._read().get("supervisor")
        return int(owner[0]) if owner and _is_same(*owner) else None

    def _read(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return found

    def _write(self) -> None:
        me = psutil.Process()
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps({"supervisor": [me.pid, me.create_time()], "children": self._children}))
        draft.rename(self._file)


def _is_same(pid: int, born: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - born) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
