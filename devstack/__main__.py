"""`python -m devstack`: run the product, or parts of it, on this machine."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

import httpx

from devstack.console import Console
from devstack.demo.publish import DemoFailed, publish_all
from devstack.leftovers import AlreadyRunning
from devstack.network import HANDLES, PASSWORD, NetworkFailed
from devstack.paths import DATA, NotSetUp
from devstack.ports import HOST, PortTaken, require_free
from devstack.postgres import PostgresUnavailable
from devstack.processes import die_with_parent
from devstack.stack import Ports, Stack, running, web_service
from devstack.supervisor import ServiceDied, Stopped, Supervisor

EXPECTED = (AlreadyRunning, DemoFailed, NetworkFailed, NotSetUp, PortTaken, PostgresUnavailable, ServiceDied)


def main(argv: list[str] | None = None) -> int:
    """run one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.tied:
        die_with_parent()
    console = Console()
    try:
        return asyncio.run(_command(arguments, console))
    except (Stopped, KeyboardInterrupt):
        return 0
    except ExceptionGroup as group:
        expected, rest = group.split((*EXPECTED, Stopped))
        if rest is not None:
            raise
        return _explain(console, _leaves(expected))
    except EXPECTED as error:
        return _explain(console, [error])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devstack", description="run the product, or parts of it, on this machine")
    parser.add_argument("--tied", action="store_true", help="end when the process that started this ends")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("dev", "the whole product"), ("backend", "everything but the web app")):
        one = commands.add_parser(name, help=text)
        one.add_argument("--data", type=Path, default=DATA, help="where everything is kept (default: .data/)")
        one.add_argument("--free-ports", action="store_true", help="listen wherever nobody else does")
    commands.add_parser("web", help="the web app alone, against an api that runs already")
    during = commands.add_parser("during", help="run a command while a fresh stack, built web app and all, is up")
    during.add_argument("words", nargs="+", metavar="command", help="e.g. -- npm run test:e2e")
    commands.add_parser("demo", help="fill the running product with generated music")
    return parser


def _command(arguments: argparse.Namespace, console: Console) -> Coroutine[None, None, int]:
    if arguments.command == "web":
        return _web(console)
    if arguments.command == "during":
        return _during(arguments.words, console)
    if arguments.command == "demo":
        return _demo(console)
    ports = Ports.free() if arguments.free_ports else Ports()
    return _dev(Stack(arguments.data.resolve(), ports, web=arguments.command == "dev"), console)


async def _dev(stack: Stack, console: Console) -> int:
    console.say("starting ...")
    async with running(stack, console) as supervisor:
        _welcome(stack, console)
        await supervisor.wait()
    return 0


def _welcome(stack: Stack, console: Console) -> None:
    address = stack.web_origin if stack.web else stack.api_url
    hints = f"ctrl-c stops everything · data stays in {_near(stack.data)}"
    lines = [
        "",
        f"  plyr is up: {console.highlight(address)}",
        "",
        f"  sign in as {' or '.join(HANDLES)}, password: {PASSWORD}",
        f"  ./just demo fills it with music · {hints}" if stack.web else f"  {hints}",
        "",
    ]
    console.say("\n".join(lines))


def _near(path: Path) -> str:
    try:
        return f"{path.relative_to(Path.cwd())}/"
    except ValueError:
        return f"{path}/"


async def _web(console: Console) -> int:
    ports = Ports()
    api_url = f"http://{HOST}:{ports.api}"
    require_free({"web": ports.web})
    if not await _api_answers(api_url):
        console.say(f"note: nothing answers at {api_url} yet. ./just backend run starts it.")
    async with Supervisor(console) as supervisor:
        await supervisor.start(web_service(port=ports.web, api_url=api_url, with_api=False))
        console.say(f"\n  the web app is up: {console.highlight(f'http://{HOST}:{ports.web}')}\n")
        await supervisor.wait()
    return 0


async def _api_answers(api_url: str) -> bool:
    async with httpx.AsyncClient(timeout=2) as http:
        try:
            await http.get(f"{api_url}/health")
        except httpx.TransportError:
            return False
    return True


async def _during(words: list[str], console: Console) -> int:
    with tempfile.TemporaryDirectory(prefix="plyr-", ignore_cleanup_errors=True) as folder:
        stack = replace(Stack(Path(folder) / "data", Ports.free()), built_web=True)
        async with running(stack, console):
            addresses = {
                "PLYR_URL": stack.web_origin,
                "PLYR_API_URL": stack.api_url,
                "PLYR_PDS_URL": stack.pds_url,
                "PLYR_PLC_URL": stack.plc_url,
                "PLYR_PASSWORD": PASSWORD,
            }
            process = await asyncio.create_subprocess_exec(*words, env=os.environ | addresses, stdin=subprocess.DEVNULL)
            return await process.wait()


async def _demo(console: Console) -> int:
    await publish_all(Stack().api_url, console)
    return 0


def _leaves(group: BaseException | None) -> list[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for part in group.exceptions for leaf in _leaves(part)]
    return [] if group is None else [group]


def _explain(console: Console, errors: list[BaseException]) -> int:
    told = [error for error in errors if not isinstance(error, Stopped)]
    for error in told:
        console.say(f"\n{error}")
    return 1 if told else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
