"""What has to be done now and then, whether or not anybody asks."""

import asyncio

import structlog

from plyr.auth import service as auth
from plyr.runtime import Resources
from plyr.storage import service as storage
from plyr.uploads import service as uploads

EVERY_S = 300.0

log = structlog.get_logger()


async def keep_house(resources: Resources) -> None:
    """For ever: forget uploads nobody finished, delete objects given up, drop what expired in sign-in."""
    while True:
        for name, chore in (
            ("uploads_expired", uploads.expire_stale(resources.db)),
            ("objects_purged", storage.purge_due(resources.db, resources.storage)),
            ("sign_ins_expired", auth.forget_expired(resources.db)),
        ):
            try:
                count = await chore
            except Exception as error:
                log.warning("housekeeping_failed", chore=name, error=f"{type(error).__name__}: {error}")
            else:
                log.info(name, count=count)
        await asyncio.sleep(EVERY_S)
