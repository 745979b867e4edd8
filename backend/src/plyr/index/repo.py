"""Every statement on the ledger."""

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from plyr.db import Session
from plyr.index.events import RecordEvent
from plyr.index.models import LedgerRecord


async def enter(session: Session, event: RecordEvent) -> bool:
    """Write an event to the ledger. False: the ledger knows this revision or a newer one."""
    gone = event.action == "delete"
    row = insert(LedgerRecord).values(
        uri=event.uri,
        did=event.did,
        collection=event.collection,
        rkey=event.rkey,
        rev=event.rev,
        cid=None if gone else event.cid,
        deleted_at=func.now() if gone else None,
    )
    newest = row.on_conflict_do_update(
        index_elements=[LedgerRecord.uri],
        set_={
            "rev": row.excluded.rev,
            "cid": row.excluded.cid,
            "deleted_at": row.excluded.deleted_at,
            "applied_at": func.now(),
        },
        where=row.excluded.rev > LedgerRecord.rev,
    )
    return (await session.execute(newest.returning(LedgerRecord.uri))).first() is not None
