"""From rows to docket: what is due is handed over when Postgres says so, and looked for every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from plyr.db import Database
from plyr.jobs import service as jobs
from plyr.outbox import service as outbox

SWEEP_S = 2.0

Hand = Callable[[str], Awaitable[None]]
log = structlog.get_logger()


async def relay_jobs(db: Database, hand: Hand) -> None:
    """Hand over jobs for ever."""
    await _relay(db, jobs.DUE, hand, _due_jobs)


async def relay_repo_writes(db: Database, hand: Hand) -> None:
    """Hand over repos with writes to deliver for ever."""
    await _relay(db, outbox.DUE, hand, _due_repos)


async def _due_jobs(db: Database) -> list[str]:
    async with db.begin() as session:
        return [str(job_id) for job_id in await jobs.list_due(session)]


async def _due_repos(db: Database) -> list[str]:
    async with db.begin() as session:
        return list(await outbox.list_due_repos(session))


async def _relay(db: Database, channel: str, hand: Hand, due: Callable[[Database], Awaitable[list[str]]]) -> None:
    """Never give up: a database or queue that is away is asked again, and the rows wait meanwhile."""
    while True:
        try:
            async with db.listen(channel) as inbox:
                while True:
                    for name in await due(db):
                        await hand(name)
                    await _pass_on(inbox, hand)
        except Exception as error:
            log.warning("relay_interrupted", channel=channel, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(SWEEP_S)


async def _pass_on(inbox: "asyncio.Queue[str]", hand: Hand) -> None:
    """Hand over what is notified until it is time to look at the rows again."""
    try:
        async with asyncio.timeout(SWEEP_S):
            while name := await inbox.get():
                await hand(name)
    except TimeoutError:
        pass
