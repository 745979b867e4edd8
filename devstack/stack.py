"""the whole product on one machine: which processes, in which order, with which settings."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from devstack import network, postgres, secrets
from devstack.console import Console
from devstack.leftovers import RunFile
from devstack.paths import BACKEND, BACKEND_SRC, DATA, FRONTEND, PYTHON, node, npm_packages
from devstack.ports import HOST, free_ports, require_free
from devstack.supervisor import Child, Service, Supervisor


@dataclass(frozen=True)
class Ports:
    """where each part listens, all on loopback."""

    web: int = 5173
    api: int = 8000
    plc: int = 2582
    pds: int = 2583
    ingest: int = 8001

    @classmethod
    def free(cls) -> "Ports":
        """return ports nobody listens on now."""
        return cls(*free_ports(5))


@dataclass(frozen=True)
class Stack:
    """one way to run the product: its data, its ports, and whether the web app is among it."""

    data: Path = DATA
    ports: Ports = field(default_factory=Ports)
    web: bool = True
    built_web: bool = False
    """serve the built web app instead of vite's development server"""

    @property
    def web_origin(self) -> str:
        """the one address people visit."""
        return f"http://{HOST}:{self.ports.web}"

    @property
    def api_url(self) -> str:
        """where the api answers without the web app in front."""
        return f"http://{HOST}:{self.ports.api}"

    @property
    def plc_url(self) -> str:
        """the local PLC directory."""
        return f"http://localhost:{self.ports.plc}"

    @property
    def pds_url(self) -> str:
        """the local PDS."""
        return f"http://localhost:{self.ports.pds}"

    def wanted_ports(self) -> dict[str, int]:
        """return the ports this stack listens on, by name."""
        ports = {"api": self.ports.api, "plc directory": self.ports.plc, "pds": self.ports.pds}
        ports["ingest"] = self.ports.ingest
        return {"web": self.ports.web, **ports} if self.web else ports

    def backend_settings(self, database_url: str) -> dict[str, str]:
        """return the backend's environment: our defaults, and above them what the environment already says."""
        defaults = {
            "STORAGE_URL": f"file://{self.data / 'storage'}",
            "WEB_ORIGIN": self.web_origin,
            "ATPROTO_PLC_URL": self.plc_url,
            "ATPROTO_HANDLE_SERVERS": f".test={self.pds_url}",
            "ATPROTO_ALLOW_LOOPBACK": "true",
            "INGEST_SOURCE": "subscribe_repos",
            "INGEST_HOSTS": self.pds_url.replace("http", "ws", 1),
            "LOG_FORMAT": "console",
            **secrets.load(self.data / "secrets.json"),
        }
        always = {"DATABASE_URL": database_url, "PYTHONPATH": str(BACKEND_SRC), "PYTHONUNBUFFERED": "1"}
        return defaults | dict(os.environ) | always


@asynccontextmanager
async def running(stack: Stack, console: Console) -> AsyncIterator[Supervisor]:
    """run a stack; inside the block everything is ready.

    cost: about 5 s when the folder is new, 3 s later
    errors: PortTaken, AlreadyRunning, PostgresUnavailable, ServiceDied, Stopped, NotSetUp
    """
    stack.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    run_file = RunFile(stack.data / "run.json")
    run_file.take_over()
    try:
        require_free(stack.wanted_ports())
        async with Supervisor(console, run_file.add) as supervisor:
            await _start_all(stack, supervisor)
            yield supervisor
    finally:
        run_file.remove()


async def _start_all(stack: Stack, supervisor: Supervisor) -> None:
    (stack.data / "storage").mkdir(exist_ok=True)
    async with asyncio.TaskGroup() as first:
        database = first.create_task(_start_database(stack, supervisor))
        first.create_task(supervisor.start(_network(stack)))
    env = stack.backend_settings(database.result())
    await supervisor.run("migrate", [str(PYTHON), "-m", "plyr", "migrate"], env=env, cwd=BACKEND)
    async with asyncio.TaskGroup() as second:
        second.create_task(supervisor.start(_api(stack, env)))
        second.create_task(supervisor.start(_worker(env)))
        second.create_task(supervisor.start(_ingest(stack, env)))
        if stack.web:
            second.create_task(supervisor.start(_web(stack)))


async def _start_database(stack: Stack, supervisor: Supervisor) -> str:
    given = os.environ.get("DATABASE_URL")
    if given:
        if not await postgres.answers(given):
            raise postgres.PostgresUnavailable("DATABASE_URL is set, and no database answers there.")
        return given
    server = await asyncio.to_thread(postgres.prepare, stack.data / "postgres")
    await supervisor.start(_postgres(server))
    await postgres.create_database(server)
    return server.url()


def _postgres(server: postgres.Prepared) -> Service:
    async def ready(_child: Child) -> None:
        while not await postgres.answers(server.url("postgres")):
            await asyncio.sleep(0.05)

    return Service(
        "postgres",
        server.argv,
        ready,
        ready_within_s=30,
        stop_signal=postgres.FAST_STOP,
        disguise=server.disguise,
        show=_unless_routine,
        try_again=postgres.held_by_another,
    )


def _unless_routine(line: str) -> str | None:
    routine = " LOG: " in line or "the database system is starting up" in line
    return None if routine else line


def _network(stack: Stack) -> Service:
    async def ready(child: Child) -> None:
        await child.line_with('"event":"ready"')

    options = network.Options(stack.data / "network", stack.ports.plc, stack.ports.pds)
    return Service("network", options.argv(), ready, show=_readable_event)


def _readable_event(line: str) -> str | None:
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return line
    if event.get("event") == "failed":
        return str(event["message"])
    return None


def _api(stack: Stack, env: Mapping[str, str]) -> Service:
    async def ready(_child: Child) -> None:
        await _until_answered(f"{stack.api_url}/ready")

    argv = [str(PYTHON), "-m", "plyr", "api", "--host", HOST, "--port", str(stack.ports.api)]
    return Service("api", argv, ready, env=env, cwd=BACKEND)


def _worker(env: Mapping[str, str]) -> Service:
    async def ready(child: Child) -> None:
        await child.line_with("worker ready")

    return Service("worker", [str(PYTHON), "-m", "plyr", "worker"], ready, env=env, cwd=BACKEND)


def _ingest(stack: Stack, env: Mapping[str, str]) -> Service:
    address = f"http://{HOST}:{stack.ports.ingest}"

    async def ready(_child: Child) -> None:
        await _until_answered(f"{address}/ready")

    argv = [str(PYTHON), "-m", "plyr", "ingest", "--host", HOST, "--port", str(stack.ports.ingest)]
    return Service("ingest", argv, ready, env=env, cwd=BACKEND)


def _web(stack: Stack) -> Service:
    return web_service(port=stack.ports.web, api_url=stack.api_url, built=stack.built_web)


def web_service(*, port: int, api_url: str, built: bool = False, with_api: bool = True) -> Service:
    """return the web app; with_api says that the api is coming up as well. errors: NotSetUp."""

    async def ready(_child: Child) -> None:
        if with_api:  # the first page asks the api: not before it is there
            await _until_answered(f"{api_url}/ready")
        await _until_answered(f"http://{HOST}:{port}/", any_status=True)

    packages = npm_packages(FRONTEND)
    vite = [str(packages / "vite" / "bin" / "vite.js"), "dev", "--port", str(port), "--strictPort", "--host", HOST]
    argv = [str(node()), *(["server.js"] if built else vite)]
    env = {"BACKEND_URL": api_url, "HOST": HOST, "PORT": str(port), "ORIGIN": f"http://{HOST}:{port}"}
    return Service(
        "web", argv, ready, env=env, cwd=FRONTEND, ready_within_s=180, stop_within_s=5, show=_unless_vite_hums
    )


def _unless_vite_hums(line: str) -> str | None:
    hums = not line.strip() or "[optimizer]" in line or "ssr) connected" in line
    return None if hums else line


async def _until_answered(url: str, *, any_status: bool = False) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        while True:
            try:
                answer = await http.get(url)
            except httpx.TransportError:
                pass
            else:
                if any_status or answer.is_success:
                    return
            await asyncio.sleep(0.1)
