"""Comments as the index follows them."""

from collections.abc import Sequence

from plyr.db import Session
from plyr.kit.ids import AtUri
from plyr.kit.record_events import RecordEvent
from plyr.comments import repo
from plyr.comments.records import comment_row


async def fold(session: Session, puts: Sequence[RecordEvent], gone: Sequence[AtUri]) -> None:
    """Follow comment records that are there and that are gone. cost: 6 statements for any number."""
    subjects = await repo.upsert(session, [comment_row(event) for event in puts]) if puts else set[str]()
    if gone:
        subjects |= await repo.remove(session, gone)
    await repo.recount(session, subjects)
