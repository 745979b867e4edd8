"""the product's own processes on real parts, for a benchmark: postgres, network, api, worker, somebody signed in."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from devstack import network, postgres
from devstack.paths import BACKEND, BACKEND_SRC, DATA
from devstack.ports import free_ports
from devstack.processes import tied_to_parent
from devstack.sign_in import sign_in


@dataclass(frozen=True)
class Machine:
    """a running product, empty but for one artist."""

    folder: Path
    storage: Path
    host: str
    port: int
    authorization: str
    api: "subprocess.Popen[bytes]"
    worker: "subprocess.Popen[bytes]"
    postgres_pid: int


@contextmanager
def running() -> Iterator[Machine]:
    """run the product on a new disk folder while the block runs, then remove all of it."""
    DATA.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=DATA))
    try:
        with ExitStack() as stack:
            yield _start(folder, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, stack: ExitStack) -> Machine:
    server = stack.enter_context(postgres.running(folder / "postgres"))
    atmosphere = stack.enter_context(network.running_on_free_ports(folder / "network"))
    storage, port = folder / "storage", free_ports(1)[0]
    env = os.environ | {
        "PYTHONPATH": str(BACKEND_SRC),
        "DATABASE_URL": server.url(),
        "STORAGE_URL": f"file://{storage}",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "WEB_ORIGIN": "http://127.0.0.1:5173",
        **atmosphere.backend_settings(),
    }
    subprocess.run([sys.executable, "-m", "plyr", "migrate"], env=env, cwd=BACKEND, check=True, capture_output=True)
    api = _spawn(["api", "--host", "127.0.0.1", "--port", str(port)], env, folder / "api.log", stack)
    worker = _spawn(["worker"], env, folder / "worker.log", stack)
    _until(lambda: _answers(f"http://127.0.0.1:{port}/health"), folder / "api.log")
    _until(lambda: b"worker ready" in (folder / "worker.log").read_bytes(), folder / "worker.log")
    authorization = asyncio.run(_become_artist(port, atmosphere.new_account().handle))
    postgres_pid = int((server.data / "postmaster.pid").read_text().split()[0])
    return Machine(folder, storage, "127.0.0.1", port, authorization, api, worker, postgres_pid)


async def _become_artist(port: int, handle: str) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        who = await sign_in(http, handle)
        made = await http.post("/artists/", json={"display_name": "bench"}, headers=who.authorization)
        made.raise_for_status()
        return who.authorization["authorization"]


def _spawn(arguments: list[str], env: dict[str, str], log: Path, stack: ExitStack) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "plyr", *arguments],
            env=env, cwd=BACKEND, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            preexec_fn=tied_to_parent(),
        )  # fmt: skip
    stack.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def _until(ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit(f"not ready within a minute:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
