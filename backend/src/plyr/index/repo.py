"""Every statement on the ledger, and on what of it is still to be delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from plyr.db import Session
from plyr.db.arrays import given_rows
from plyr.index.models import LedgerRecord
from plyr.kit.at_uri import make_at_uri
from plyr.kit.clock import utc_now
from plyr.kit.ids import AtUri, Cid, Did, Nsid, RecordKey, Rev
from plyr.kit.record_events import RecordEvent
from plyr.outbox.models import RepoWrite

_ENTERED = ("uri", "did", "collection", "rkey", "rev", "cid", "rejected", "deleted_at")


@dataclass(frozen=True, slots=True)
class Version:
    """A record as the ledger knows it; without a cid it is deleted."""

    rev: Rev
    cid: Cid | None


async def enter(session: Session, events: Sequence[RecordEvent], rejected: Mapping[str, str]) -> set[str]:
    """Write events to the ledger; return the addresses whose event was news.

    shape:  at most one event an address; `rejected` says why a record shows nowhere, by address
    """
    rows = [_row(event, rejected.get(event.uri)) for event in sorted(events, key=lambda event: event.uri)]
    new = insert(LedgerRecord).from_select(_ENTERED, given_rows(LedgerRecord, _ENTERED, rows))
    newest = new.on_conflict_do_update(
        index_elements=[LedgerRecord.uri],
        set_={name: new.excluded[name] for name in ("rev", "cid", "rejected", "deleted_at")}
        | {"applied_at": func.now()},
        where=new.excluded.rev > LedgerRecord.rev,
    )
    return set((await session.execute(newest.returning(LedgerRecord.uri))).scalars())


async def find(session: Session, uri: AtUri) -> Version | None:
    """Return what the ledger knows of a record, None for nothing."""
    row = (await session.execute(select(LedgerRecord.rev, LedgerRecord.cid).where(LedgerRecord.uri == uri))).first()
    return Version(Rev(row.rev), Cid(row.cid) if row.cid else None) if row else None


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
        "deleted_at": utc_now() if gone else None,
    }


async def list_of_repo(session: Session, did: Did) -> dict[AtUri, tuple[Rev, Cid | None]]:
    """Return what the ledger knows of a repo: revision and CID by address, None for what was deleted."""
    rows = await session.execute(
        select(LedgerRecord.uri, LedgerRecord.rev, LedgerRecord.cid).where(LedgerRecord.did == did)
    )
    return {AtUri(row.uri): (Rev(row.rev), Cid(row.cid) if row.cid else None) for row in rows}


async def list_pending(session: Session, did: Did) -> set[AtUri]:
    """Return the records of a repo that our own writes are on their way to."""
    rows = await session.execute(select(RepoWrite.collection, RepoWrite.rkey).where(RepoWrite.did == did))
    return {make_at_uri(did, Nsid(row.collection), RecordKey(row.rkey)) for row in rows}


async def touch_standing(session: Session, uri: AtUri, cid: Cid) -> bool:
    """Hold a record's row if it still is this version and shows; marks it as changed just now."""
    held = await session.execute(
        update(LedgerRecord)
        .where(LedgerRecord.uri == uri, LedgerRecord.cid == cid, LedgerRecord.rejected.is_(None))
        .values(applied_at=func.now())
        .returning(LedgerRecord.uri)
    )
    return held.first() is not None
