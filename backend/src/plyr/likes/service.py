"""Likes as the index follows them."""

from plyr.db import Session
from plyr.kit.record_events import Changes
from plyr.likes import repo
from plyr.likes.records import like_row


async def fold(session: Session, changes: Changes) -> None:
    """Follow like records. cost: 6 statements for any number."""
    subjects = await repo.upsert(session, [like_row(event) for event in changes.puts]) if changes.puts else set[str]()
    if changes.gone:
        subjects |= await repo.remove(session, changes.gone)
    await repo.recount(session, subjects)
