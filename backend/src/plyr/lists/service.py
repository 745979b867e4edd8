"""Lists as the index follows them."""

from plyr.db import Session
from plyr.kit.record_events import Changes
from plyr.lists import repo
from plyr.lists.records import list_row


async def fold(session: Session, changes: Changes) -> None:
    """Follow list records. cost: 2 statements for any number."""
    if changes.puts:
        await repo.upsert(session, [list_row(event) for event in changes.puts])
    if changes.gone:
        await repo.remove(session, changes.gone)
