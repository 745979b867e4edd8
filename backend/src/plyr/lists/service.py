"""Lists as the index follows them."""

from collections.abc import Sequence

from plyr.db import Session
from plyr.kit.ids import AtUri
from plyr.kit.record_events import RecordEvent
from plyr.lists import repo
from plyr.lists.records import list_row


async def fold(session: Session, puts: Sequence[RecordEvent], gone: Sequence[AtUri]) -> None:
    """Follow list records that are there and that are gone. cost: 2 statements for any number."""
    if puts:
        await repo.upsert(session, [list_row(event) for event in puts])
    if gone:
        await repo.remove(session, gone)
