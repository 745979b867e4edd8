"""Every statement on the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from plyr.db import Session
from plyr.index.models import LedgerRecord
from plyr.kit.record_events import RecordEvent


async def enter(session: Session, events: Sequence[RecordEvent], rejected: Mapping[str, str]) -> set[str]:
    """Write events to the ledger; return the addresses whose event was news.

    shape:  at most one event an address; `rejected` says why a record shows nowhere, by address
    """
    rows = [_row(event, rejected.get(event.uri)) for event in sorted(events, key=lambda event: event.uri)]
    new = insert(LedgerRecord).values(rows)
    newest = new.on_conflict_do_update(
        index_elements=[LedgerRecord.uri],
        set_={name: new.excluded[name] for name in ("rev", "cid", "rejected", "deleted_at")}
        | {"applied_at": func.now()},
        where=new.excluded.rev > LedgerRecord.rev,
    )
    return set((await session.execute(newest.returning(LedgerRecord.uri))).scalars())


def _row(event: RecordEvent, rejected: str | None) -> dict[str, Any]:
    gone = event.action == "delete"
    return {
        "uri": event.uri,
        "did": event.did,
        "collection": event.collection,
        "rkey": event.rkey,
        "rev": event.rev,
        "cid": None if gone else event.cid,
        "rejected": None if gone else rejected,
        "deleted_at": func.now() if gone else None,
    }
