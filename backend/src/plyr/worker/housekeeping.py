"""What has to be done now and then, whether or not anybody asks."""

import asyncio
from functools import partial

import structlog

from plyr.auth import service as auth
from plyr.index import echoes
from plyr.outbox import service as outbox
from plyr.repos import service as repos
from plyr.runtime import Resources
from plyr.storage import service as storage
from plyr.uploads import service as uploads

EVERY_S = 300.0
ECHOES_EVERY_S = 15.0

log = structlog.get_logger()


async def keep_house(resources: Resources) -> None:
    """For ever: forget what nobody finished or what expired, delete objects given up, compare repos that are due."""
    while True:
        for name, chore in (
            ("uploads_expired", partial(uploads.expire_stale, resources.db)),
            ("objects_purged", partial(storage.purge_due, resources.db, resources.storage)),
            ("repos_scheduled", partial(repos.schedule_round, resources.db)),
            ("sign_ins_expired", partial(auth.forget_expired, resources.db)),
            ("outbox_forgotten", partial(outbox.forget_old, resources.db)),
        ):
            try:
                count = await chore()
            except Exception as error:
                log.warning("housekeeping_failed", chore=name, error=f"{type(error).__name__}: {error}")
            else:
                log.info(name, count=count)
        await asyncio.sleep(EVERY_S)


async def watch_echoes(resources: Resources) -> None:
    """For ever: notice own writes that do not come back."""
    while True:
        try:
            await echoes.signal_overdue(resources.db, resources.settings.echo_overdue_s)
        except Exception as error:
            log.warning("housekeeping_failed", chore="echoes", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(ECHOES_EVERY_S)
