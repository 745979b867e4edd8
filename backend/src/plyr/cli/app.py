"""Commands: run the api, a worker or ingest, bring the database up to date, look after the index."""

import asyncio
import json
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from plyr.api.app import create_app
from plyr.auth import service as auth
from plyr.cli import index
from plyr.cli.starting import usable_settings
from plyr.config import Settings, load_settings
from plyr.db.migrations import upgrade
from plyr.ingest.app import create_app as create_ingest_app
from plyr.runtime import open_resources
from plyr.telemetry.logs import configure_logs
from plyr.worker.main import run_worker

app = typer.Typer(no_args_is_help=True, add_completion=False, help="the backend of plyr.fm")
app.add_typer(index.app, name="index")

_GRACE_S = 5


@app.command()
def api(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port to listen on")] = 8000,
) -> None:
    """serve http."""
    settings = usable_settings()
    _serve(create_app(settings), host, port)


@app.command()
def worker() -> None:
    """do the work in the background: uploads, repo writes, housekeeping."""
    settings = usable_settings()
    asyncio.run(run_worker(settings))


@app.command()
def ingest(
    host: Annotated[str, typer.Option(help="the address to answer /health, /ready and /metrics on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port to answer on")] = 8001,
) -> None:
    """follow the repos: one process leads, further ones stand by."""
    settings = usable_settings()
    _serve(create_ingest_app(settings), host, port)


@app.command()
def migrate() -> None:
    """bring the database to the newest schema; an empty one is built."""
    settings = load_settings()
    configure_logs(settings.log_format)
    upgrade(settings.database_url)


@app.command("encrypt-anew")
def encrypt_anew() -> None:
    """write all secrets at rest under the newest of ENCRYPTION_KEYS, so that the older ones can be dropped."""
    count = asyncio.run(_encrypt_anew(usable_settings()))
    typer.echo(f"encrypted the secrets of {count} grants anew")


@app.command()
def openapi() -> None:
    """print the openapi document; needs no settings."""
    typer.echo(json.dumps(create_app(None).openapi(), indent=2, sort_keys=True))


async def _encrypt_anew(settings: Settings) -> int:
    async with open_resources(settings, application_name="plyr-encrypt-anew") as resources:
        return await auth.encrypt_anew(resources)


def _serve(application: FastAPI, host: str, port: int) -> None:
    uvicorn.run(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
        proxy_headers=False,
        server_header=False,
    )
