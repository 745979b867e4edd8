"""the whole stack but the web app, as a developer runs it: up, killed, up again."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from devstack.paths import ROOT

UP = re.compile(r"plyr is up: (\S+)")
StartStack = Callable[[], tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[StartStack]:
    """start the stack on `tmp_path` and return it with the api's address."""
    started: list[subprocess.Popen[str]] = []
    command = [sys.executable, "-m", "devstack", "backend", "--free-ports", "--data", str(tmp_path / "data")]

    def start() -> tuple["subprocess.Popen[str]", str]:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if found := UP.search(line):
                return process, found[1]
        raise AssertionError(f"the stack did not start:\n{said}")

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def test_stack_killed_leaves_nobody_behind_and_starts_again(start_stack: StartStack, tmp_path: Path) -> None:
    first, _ = start_stack()
    children = psutil.Process(first.pid).children(recursive=True)
    dids = (tmp_path / "data" / "network" / "plc.jsonl").read_text()
    first.kill()
    assert psutil.wait_procs(children, timeout=15)[1] == []

    second, api_url = start_stack()
    assert httpx.get(f"{api_url}/ready").json() == {"status": "ready"}
    assert (tmp_path / "data" / "network" / "plc.jsonl").read_text() == dids

    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 0
    assert not (tmp_path / "data" / "run.json").exists()


def test_stack_twice_on_one_folder_names_the_first(start_stack: StartStack) -> None:
    first, _ = start_stack()
    with pytest.raises(AssertionError, match=f"already runs here, as process {first.pid}"):
        start_stack()
