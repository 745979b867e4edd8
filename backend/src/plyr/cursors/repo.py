"""Every statement on the ingest_cursors table."""

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert

from plyr.cursors.models import IngestCursor
from plyr.cursors.views import Place
from plyr.db import Session


async def take_over(session: Session, source: str) -> Place:
    """Raise a source's epoch, waiting for a transaction of the former holder to end."""
    row = insert(IngestCursor).values(source=source, epoch=1)
    taken = await session.execute(
        row.on_conflict_do_update(
            index_elements=[IngestCursor.source], set_={"epoch": IngestCursor.epoch + 1}
        ).returning(IngestCursor.epoch, IngestCursor.cursor)
    )
    found = taken.one()
    return Place(source, found.epoch, found.cursor)


async def move(session: Session, place: Place, cursor: int | None) -> bool:
    """Write down how far a source is applied, and hold the row to the end of the transaction. False: taken over."""
    mine = update(IngestCursor).where(IngestCursor.source == place.source, IngestCursor.epoch == place.epoch)
    done = await session.execute(mine.values(cursor=cursor, updated_at=func.now()).returning(IngestCursor.epoch))
    return done.first() is not None
