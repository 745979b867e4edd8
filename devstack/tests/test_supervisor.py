"""the supervisor: starts in order, names who died, stops everybody."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devstack.console import Console
from devstack.paths import ROOT
from devstack.supervisor import Child, Service, ServiceDied, Stopped, Supervisor

_OBEDIENT = "import time; print('up', flush=True); time.sleep(60)"
_STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_OBEDIENT}"
_DYING = "import time; print('up', flush=True); time.sleep(0.2); print('the disk is full'); exit(3)"
_STILLBORN = "print('no such setting'); exit(2)"
_PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {_OBEDIENT!r}]).wait()"
_OWNER = """
import asyncio, io, json, sys
from devstack.console import Console
from devstack.supervisor import Supervisor
from devstack.tests.test_supervisor import service
async def main():
    async with Supervisor(Console()) as up:
        children = [await up.start(service(name)) for name in ("one", "two")]
        print(json.dumps([child.process.pid for child in children]), flush=True)
        await up.wait()
asyncio.run(main())
"""


async def _says_up(child: Child) -> None:
    await child.line_with("up")


def service(name: str, code: str = _OBEDIENT, *, ready_within_s: float = 10, stop_within_s: float = 5) -> Service:
    """a python program as a service."""
    argv = [sys.executable, "-c", code]
    return Service(name, argv, _says_up, ready_within_s=ready_within_s, stop_within_s=stop_within_s)


async def test_leaving_stops_everybody_in_reverse_order() -> None:
    out = io.StringIO()
    async with Supervisor(Console(out)) as up:
        pids = [(await up.start(service(name))).process.pid for name in ("one", "two")]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert out.getvalue().splitlines() == ["one        | up", "two        | up"]


async def test_a_child_that_ignores_the_request_is_killed() -> None:
    out = io.StringIO()
    async with Supervisor(Console(out)) as up:
        child = await up.start(service("rock", _STUBBORN, stop_within_s=0.3))
    assert child.process.returncode == -signal.SIGKILL
    assert "rock did not stop in 0.3 s: killed" in out.getvalue()


async def test_what_a_child_started_ends_with_it() -> None:
    async with Supervisor(Console(io.StringIO())) as up:
        child = await up.start(service("parent", _PARENT))
        (grandchild,) = psutil.Process(child.process.pid).children()
    assert psutil.wait_procs([grandchild], timeout=5)[1] == []


async def test_a_child_that_dies_is_named_with_its_last_lines() -> None:
    with pytest.raises(ServiceDied, match=r"worker ended with exit code 3[\s\S]*the disk is full"):
        async with Supervisor(Console(io.StringIO())) as up:
            other = await up.start(service("api"))
            await up.start(service("worker", _DYING))
            await up.wait()
    assert other.process.returncode is not None


async def test_a_child_that_never_starts_is_named() -> None:
    with pytest.raises(ServiceDied, match=r"api ended with exit code 2[\s\S]*no such setting"):
        async with Supervisor(Console(io.StringIO())) as up:
            await up.start(service("api", _STILLBORN))


async def test_a_child_that_is_never_ready_is_named() -> None:
    with pytest.raises(ServiceDied, match=r"api was not ready after 0.5 s"):
        async with Supervisor(Console(io.StringIO())) as up:
            await up.start(service("api", "import time; time.sleep(60)", ready_within_s=0.5))


async def test_a_command_that_fails_is_named() -> None:
    with pytest.raises(ServiceDied, match="migrate ended with exit code 2"):
        async with Supervisor(Console(io.StringIO())) as up:
            await up.run("migrate", [sys.executable, "-c", _STILLBORN], env={})


async def test_a_start_that_was_only_too_early_is_repeated(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    code = f"import os, time; os.path.exists({str(lock)!r}) and exit('locked'); print('up', flush=True); time.sleep(60)"
    patient = Service("db", [sys.executable, "-c", code], _says_up, try_again=lambda output: "locked" in output)
    async with Supervisor(Console(io.StringIO())) as up:
        asyncio.get_running_loop().call_later(0.5, lock.unlink)
        await up.start(patient)


async def test_a_signal_while_starting_stops_everybody() -> None:
    with pytest.raises(Stopped):
        async with Supervisor(Console(io.StringIO())) as up:
            first = await up.start(service("one"))
            asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)
            await up.start(service("slow", "import time; time.sleep(60)"))
    assert first.process.returncode is not None


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_children_end_with_the_supervisor(sig: signal.Signals) -> None:
    owner = subprocess.Popen([sys.executable, "-c", _OWNER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    line = next(line for line in owner.stdout if line.startswith("["))
    children = [psutil.Process(pid) for pid in json.loads(line)]
    owner.send_signal(sig)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    owner.stdout.close()
    assert owner.wait(10) == (-9 if sig == signal.SIGKILL else 0)
