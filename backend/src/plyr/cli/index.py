"""Commands on the index: compare it with the repos, repair it, find new ones, make it anew."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer

from plyr.atproto.identity.syntax import is_did
from plyr.cli.starting import usable_settings
from plyr.db import Database
from plyr.errors import PlyrError
from plyr.index import check as checking
from plyr.index import discover as discovering
from plyr.index import rebuild as rebuilding
from plyr.index import reconcile as reconciling
from plyr.index.check import Checked, Difference
from plyr.index.rebuild import Rebuilt
from plyr.kit.ids import Did
from plyr.runtime import Resources, open_resources

app = typer.Typer(no_args_is_help=True, help="the index of records: check, reconcile, discover, rebuild")

Value = TypeVar("Value")
_SHOWN_TEXT = 120


def _checked_did(value: str | None) -> str | None:
    if value is not None and not is_did(value):
        raise typer.BadParameter("a did looks like did:plc:… or did:web:…")
    return value


OneDid = Annotated[str | None, typer.Option(help="only the repo of this account", callback=_checked_did)]
AsJson = Annotated[bool, typer.Option("--json", help="print one json object on standard output")]


@app.command()
def check(did: OneDid = None, as_json: AsJson = False) -> None:
    """list every difference between the index and the repos, field by field; status 1 if there is any."""

    async def run(resources: Resources) -> Checked:
        return await checking.check(resources, Did(did) if did else None)

    checked = _run(run)
    if as_json:
        typer.echo(json.dumps(asdict(checked), indent=2, ensure_ascii=False, default=str))
    else:
        for difference in checked.differences:
            typer.echo(_line(difference))
        for unread, why in checked.unread.items():
            typer.echo(f"not compared: {unread}: {why}", err=True)
        typer.echo(f"{checked.repos} repos, {len(checked.differences)} differences, {len(checked.unread)} not compared")
    raise typer.Exit(1 if checked.differences else 0)


@app.command()
def reconcile(
    did: Annotated[str, typer.Option(help="the account whose repo is compared", callback=_checked_did)],
) -> None:
    """read one repo whole and repair what the index has of it."""

    async def run(resources: Resources) -> reconciling.Reconciled:
        return await reconciling.reconcile(resources, Did(did), force=True)

    done = _run(run)
    typer.echo(f"compared at {done.rev}: {done.written} records written, {done.deleted} deleted")


@app.command()
def discover(host: Annotated[str, typer.Option(help="address of a relay or pds, https://…")]) -> None:
    """ask a host which accounts use our collections; the worker reads the new ones."""

    async def run(resources: Resources) -> discovering.Discovered:
        return await discovering.discover(resources, host)

    done = _run(run)
    typer.echo(f"{done.found} accounts use our collections, {done.new} of them are new and will be read")


@app.command()
def rebuild(did: OneDid = None, as_json: AsJson = False) -> None:
    """make the public index anew from the repos, beside the live one, and put it in its place.

    reads and writes go on meanwhile; stopped at any point, the live index is as it was. what only we know (sessions,
    files, queues, preferences) is not touched. with --did, one repo in one transaction.
    """
    if did is not None:
        count = _run(lambda resources: rebuilding.rebuild_repo(resources, Did(did)))
        typer.echo(json.dumps({"records": count}) if as_json else f"{count} records of {did} made anew")
        return

    async def run(resources: Resources) -> Rebuilt:
        patient = Database(
            resources.settings.database_url, pool_size=8, statement_s=None, application_name="plyr-rebuild"
        )
        try:
            return await rebuilding.rebuild(resources, patient, lambda text: typer.echo(text, err=True))
        finally:
            await patient.close()

    done = _run(run)
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=2))
    else:
        unread = f"; {len(done.unread)} repos could not be read and stay as they were" if done.unread else ""
        typer.echo(f"{done.records} records of {done.repos} repos, {done.buried} gone ones buried{unread}")


def _run(work: Callable[[Resources], Awaitable[Value]]) -> Value:
    """Do something with the product's parts; a fault somebody can understand is one line and status 1."""

    async def with_resources() -> Value:
        async with open_resources(usable_settings(), application_name="plyr-index") as resources:
            return await work(resources)

    try:
        return asyncio.run(with_resources())
    except PlyrError as error:
        typer.echo(f"{error.code}: {error.detail}", err=True)
        raise typer.Exit(1) from error


def _line(difference: Difference) -> str:
    if not difference.field:
        what = "is missing in the index" if difference.actual is None else "is in the index only"
        return f"{difference.table} {difference.key}: {what}"
    expected, actual = (str(value)[:_SHOWN_TEXT] for value in (difference.expected, difference.actual))
    return f"{difference.table} {difference.key}: {difference.field} is {actual!r}, the repo says {expected!r}"
