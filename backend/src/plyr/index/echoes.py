"""Own writes that do not come back through the stream of events: said aloud, and their repos read whole."""

from plyr.db import Database
from plyr.outbox import service as outbox
from plyr.repos import service as repos
from plyr.telemetry import delivering as telemetry


async def signal_overdue(db: Database, overdue_s: float) -> int:
    """Warn of own writes that did not come back in time and have their repos read whole; returns the number.

    shape:  each write once; what keeps our collections from us (a filter, a stalled relay) shows here first
    """
    async with db.begin() as session:
        overdue = await outbox.take_overdue(session, overdue_s)
        for did in overdue:
            await repos.request_reconcile(session, did, force=True)
    for did, uris in overdue.items():
        telemetry.echo_overdue(did, uris, overdue_s)
    return sum(len(uris) for uris in overdue.values())
