"""Comments as the index follows them."""

from plyr.comments import repo
from plyr.comments.records import comment_row
from plyr.db import Session
from plyr.kit.record_events import Changes


async def fold(session: Session, changes: Changes) -> None:
    """Follow comment records. cost: 6 statements for any number."""
    subjects = (
        await repo.upsert(session, [comment_row(event) for event in changes.puts]) if changes.puts else set[str]()
    )
    if changes.gone:
        subjects |= await repo.remove(session, changes.gone)
    await repo.recount(session, subjects)
