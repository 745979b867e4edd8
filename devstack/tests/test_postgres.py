"""the launcher: survives kills, says what is wrong, leaves other people's folders alone."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from devstack import postgres, unprivileged
from devstack.paths import ROOT

_HOLD = """
import sys, time
from pathlib import Path
from devstack import postgres
with postgres.running(Path(sys.argv[1])) as server:
    print(server.url(), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """another process that runs postgres on `tmp_path`."""
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def _run(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def _server_pid(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def test_running_again_keeps_what_was_written(tmp_path: Path) -> None:
    with postgres.running(tmp_path) as server:
        asyncio.run(_run(server.url(), "create table kept (id int)"))
    with postgres.running(tmp_path) as server:
        assert asyncio.run(_run(server.url(), "select * from kept")) == []


def test_running_after_its_owner_was_killed_starts_again(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    with postgres.running(tmp_path) as server:
        assert asyncio.run(_run(server.url(), "select 1 as one"))[0]["one"] == 1


def test_running_after_the_server_was_killed_starts_again(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    os.kill(_server_pid(tmp_path), signal.SIGKILL)
    holder.kill()
    with postgres.running(tmp_path) as server:
        assert asyncio.run(_run(server.url(), "select 1 as one"))[0]["one"] == 1


def test_owner_killed_takes_the_server_along(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    server = psutil.Process(_server_pid(tmp_path))
    holder.kill()
    server.wait(10)


def test_prepare_after_a_first_start_cut_short_begins_afresh(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "half").touch()
    with postgres.running(tmp_path, durable=False):
        assert not (tmp_path / "data.new").exists()


def test_prepare_forgets_a_pid_that_belongs_to_somebody_else(tmp_path: Path) -> None:
    server = postgres.prepare(tmp_path, durable=False)
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    with postgres.running(tmp_path, durable=False):
        pass


def test_sockets_are_private_and_short(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with postgres.running(deep, durable=False) as server:
        assert server.sockets.stat().st_mode & 0o077 == 0
        assert len(str(server.sockets)) < 80


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_running_as_nobody_leaves_a_private_home_private(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_SHARED_HOME", tmp_path_factory.mktemp("elsewhere"))
    for folder in (postgres._SHARED_HOME, *postgres._SHARED_HOME.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    monkeypatch.setattr(postgres, "reachable_by_others", lambda _path: False)  # so that binaries are copied as well
    home = tmp_path / "private"
    home.mkdir(mode=0o700)
    with postgres.running(home, durable=False, disguise=unprivileged.AS_NOBODY) as server:
        assert asyncio.run(_run(server.url(), "select 1 as one"))[0]["one"] == 1
        assert psutil.Process(_server_pid(server.data.parent)).uids().real == unprivileged.NOBODY
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid == 0
