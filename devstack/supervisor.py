"""run several processes as one: start them, show whose line is whose, stop them all together.

a child that ends by itself ends everything, and is named with its last lines. children are tied to this process by the
kernel, so that not even a kill -9 leaves them behind.
"""

import asyncio
import os
import signal
import subprocess
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from devstack.console import Console
from devstack.processes import tied_to_parent
from devstack.unprivileged import NONE_NEEDED, Disguise

KEPT_LINES = 15
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ServiceDied(Exception):
    """a child ended by itself or never became ready; the message names it and holds its last lines."""


class Stopped(Exception):
    """somebody asked for the end before everything was up."""


def as_it_is(line: str) -> str | None:
    """show a line unchanged."""
    return line


@dataclass(frozen=True)
class Service:
    """one process: how it starts, when it is ready, how it ends."""

    name: str
    argv: list[str]
    ready: "Callable[[Child], Awaitable[None]]"
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready_within_s: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 10.0
    disguise: Disguise = NONE_NEEDED
    show: Callable[[str], str | None] = as_it_is
    try_again: Callable[[str], bool] = lambda _: False
    """whether a start that failed with this output is worth repeating"""


@dataclass
class Child:
    """a running service, with what it has said lately."""

    service: Service
    process: asyncio.subprocess.Process
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    said: asyncio.Event = field(default_factory=asyncio.Event)
    reader: "asyncio.Task[None] | None" = None

    async def line_with(self, text: str) -> str:
        """wait for a line that contains `text`; only lines from now on count, and the last few."""
        while True:
            for line in self.lines:
                if text in line:
                    return line
            self.said.clear()
            await self.said.wait()

    def last_lines(self) -> str:
        """return the end of its output."""
        return "\n".join(f"    {line}" for line in self.lines) or "    (it said nothing)"


class Supervisor:
    """start services inside `async with`; leaving it stops them in reverse order."""

    def __init__(self, console: Console, on_start: Callable[[str, int], None] = lambda _name, _pid: None) -> None:
        self._console = console
        self._on_start = on_start
        self._children: list[Child] = []
        self._end: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._watchers: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def __aenter__(self) -> "Supervisor":
        for sig in _ENDINGS:
            asyncio.get_running_loop().add_signal_handler(sig, self._asked_to_stop)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for child in reversed(self._children):
            await self._stop(child)
        for sig in _ENDINGS:
            asyncio.get_running_loop().remove_signal_handler(sig)

    async def start(self, service: Service) -> Child:
        """start a service and return once it is ready; errors: ServiceDied, Stopped."""
        deadline = asyncio.get_running_loop().time() + service.ready_within_s
        while True:
            child = await self._spawn(service)
            outcome = await self._until_ready(child, deadline)
            if outcome is None:
                self._watch(child)
                return child
            self._children.remove(child)
            if asyncio.get_running_loop().time() > deadline or not service.try_again("\n".join(child.lines)):
                raise outcome
            await asyncio.sleep(0.3)

    async def run(self, name: str, argv: list[str], *, env: Mapping[str, str], cwd: Path | None = None) -> None:
        """run a command to its end; errors: ServiceDied when it fails, Stopped."""
        child = await self._spawn(Service(name, argv, _at_once, env=env, cwd=cwd))
        await self._first(asyncio.ensure_future(child.process.wait()))
        await self._heard_out(child)
        self._children.remove(child)
        if child.process.returncode != 0:
            raise ServiceDied(self._obituary(child))

    async def wait(self) -> None:
        """wait until somebody asks for the end; errors: ServiceDied when a child ends before that."""
        reason = await self._end
        if reason is not None:
            raise reason

    async def _until_ready(self, child: Child, deadline: float) -> ServiceDied | None:
        ready = asyncio.ensure_future(child.service.ready(child))
        ended = asyncio.ensure_future(child.process.wait())
        left = max(deadline - asyncio.get_running_loop().time(), 0.1)
        try:
            await self._first(ready, ended, timeout_s=left)
            if ready.done() and not ended.done():
                await ready
                return None
            if not ended.done():
                await self._stop(child)
                late = f"{child.service.name} was not ready after {child.service.ready_within_s:g} s"
                return ServiceDied(f"{late}. its last lines:\n{child.last_lines()}")
            await self._heard_out(child)
            return ServiceDied(self._obituary(child))
        finally:
            ready.cancel()
            ended.cancel()

    async def _first(self, *awaited: "asyncio.Future[Any]", timeout_s: float | None = None) -> None:
        await asyncio.wait([*awaited, self._end], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self._end.done():
            raise self._end.result() or Stopped

    async def _spawn(self, service: Service) -> Child:
        process = await asyncio.create_subprocess_exec(
            *service.argv,
            env=os.environ | dict(service.env),
            cwd=service.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # so that Ctrl-C in the terminal reaches only this process
            preexec_fn=tied_to_parent(service.stop_signal),
            **service.disguise.popen_user(),
        )
        child = Child(service, process)
        child.reader = asyncio.create_task(self._read(child))
        self._children.append(child)
        self._on_start(service.name, process.pid)
        return child

    async def _read(self, child: Child) -> None:
        assert child.process.stdout is not None
        rest = b""
        while chunk := await child.process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._heard(child, line)
        if rest:
            self._heard(child, rest)

    def _heard(self, child: Child, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        child.lines.append(line)
        child.said.set()
        shown = child.service.show(line)
        if shown is not None:
            self._console.line(child.service.name, shown)

    def _watch(self, child: Child) -> None:
        async def until_it_ends() -> None:
            await child.process.wait()
            await self._heard_out(child)
            if not self._stopping and not self._end.done():
                self._end.set_result(ServiceDied(self._obituary(child)))

        task = asyncio.create_task(until_it_ends())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _heard_out(self, child: Child) -> None:
        # a grandchild may hold the pipe open: do not wait for it
        if child.reader is not None:
            await asyncio.wait([child.reader], timeout=0.5)

    def _obituary(self, child: Child) -> str:
        code = child.process.returncode or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"{child.service.name} {how}. its last lines:\n{child.last_lines()}"

    def _asked_to_stop(self) -> None:
        if self._stopping:  # asked twice: no more patience
            for child in self._children:
                _kill_group(child.process.pid)
        elif not self._end.done():
            self._end.set_result(None)
            self._console.say("\nstopping ...")

    async def _stop(self, child: Child) -> None:
        if child.process.returncode is None:
            child.process.send_signal(child.service.stop_signal)
            try:
                async with asyncio.timeout(child.service.stop_within_s):
                    await child.process.wait()
            except TimeoutError:
                self._console.say(f"{child.service.name} did not stop in {child.service.stop_within_s:g} s: killed")
        _kill_group(child.process.pid)  # it, or what it left behind
        await child.process.wait()
        await self._heard_out(child)
        if child.reader is not None:
            child.reader.cancel()


async def _at_once(_child: Child) -> None:
    return


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left of it
        os.killpg(group, signal.SIGKILL)
