"""The rules of ownership: one object, one row that owns it; deletion goes by ownership, delayed, with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog

from plyr.db import Database, Session
from plyr.kit.clock import utc_now
from plyr.storage import repo
from plyr.storage.errors import NotOwner, StorageUnavailable
from plyr.storage.protocol import BlobInfo, BlobStore
from plyr.storage.views import ObjectRow

OwnerKind = Literal["upload", "track", "artist"]
KEPT_FOR = timedelta(hours=2)
_PAGE = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who an object belongs to: an upload, a track or an artist."""

    kind: OwnerKind
    id: str


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What does not fit together: rows whose object is gone, and objects nobody owns, with their age in seconds."""

    missing: list[ObjectRow]
    orphans: list[tuple[BlobInfo, float]]


async def claim(session: Session, key: str, owner: Owner, *, content_type: str) -> None:
    """Take a key before the first byte is written under it. Again by the same owner: nothing.

    errors: NotOwner when the key is somebody else's or was given up
    """
    if not await repo.claim(session, key, owner.kind, owner.id, content_type):
        raise NotOwner("this object belongs to something else")


async def confirm(session: Session, key: str, *, size_bytes: int, sha256: str | None = None) -> None:
    """Note that all of an object is durable.

    errors: NotOwner when it was given up meanwhile
    """
    if not await repo.set_written(session, key, size_bytes, sha256):
        raise NotOwner("this object was given up while it was written")


async def transfer(session: Session, keys: Sequence[str], source: Owner, target: Owner) -> None:
    """Hand whole objects from one owner to another, all or none; they are not public until `publish`.

    errors: NotOwner when `source` does not have all of them
    """
    moved = await repo.transfer(session, keys, source.kind, source.id, target.kind, target.id)
    if moved != len(set(keys)):
        raise NotOwner("an object changed hands or was given up meanwhile")


async def take_back(session: Session, keys: Sequence[str], source: Owner, target: Owner) -> bool:
    """Hand objects back, given-up ones included as long as their deletion is not near. False: not all are left."""
    moved = await repo.take_back(session, keys, source.kind, source.id, target.kind, target.id)
    return moved == len(set(keys))


async def publish(session: Session, owner: Owner) -> None:
    """Let strangers fetch what an owner has, from now on."""
    await repo.set_public(session, owner.kind, owner.id)


async def release(
    session: Session,
    owner: Owner,
    *,
    reason: str,
    keys: Sequence[str] | None = None,
    delay: timedelta = KEPT_FOR,
) -> int:
    """Give up all of an owner's objects, or some; strangers stop getting them at once. Return how many.

    units:  bytes stay for `delay`, longer than any writer that has not noticed yet can go on
    """
    return await repo.give_up(session, owner.kind, owner.id, keys, reason, delay)


async def take_back_given_up(session: Session, owner: Owner) -> None:
    """Keep what an owner gave up after all, as far as it is not due yet; strangers may fetch it again."""
    await repo.keep_again(session, owner.kind, owner.id)


async def find(session: Session, key: str) -> ObjectRow | None:
    """Return an object's row, None if nobody owns such a key."""
    return await repo.find(session, key)


async def find_served(session: Session, key: str, *, public_only: bool) -> ObjectRow | None:
    """Return the row of an object that may be handed out now, None otherwise.

    cost:   1 query by primary key
    """
    row = await repo.find(session, key)
    if row is None or row.size_bytes is None or row.delete_after is not None:
        return None
    return None if public_only and row.public_at is None else row


async def list_owned(session: Session, owner: Owner) -> list[ObjectRow]:
    """Return what an owner has and has not given up."""
    return await repo.list_owned(session, owner.kind, owner.id)


async def purge_due(db: Database, store: BlobStore, *, limit: int = 200) -> int:
    """Delete the objects whose time has come, then their rows; return how many went.

    shape:  safe to repeat and to run twice at once; what the store does not delete now is due next time
    """
    async with db.begin() as session:
        keys = await repo.list_due(session, limit)
    gone = list[str]()
    for key in keys:
        try:
            await store.delete(key)
        except StorageUnavailable as error:
            log.warning("object_not_deleted", key=key, error=error.detail)
            break
        gone.append(key)
    if gone:
        async with db.begin() as session:
            await repo.forget(session, gone)
    return len(gone)


async def sweep(db: Database, store: BlobStore, *, now: datetime | None = None) -> SweepReport:
    """Compare rows with objects, both ways.

    cost:   one HEAD a row and one listing of the store; for a schedule or an operator, not for a request
    """
    return SweepReport(await _list_missing(db, store), await _list_orphans(db, store, now or utc_now()))


async def _list_missing(db: Database, store: BlobStore) -> list[ObjectRow]:
    missing, after = list[ObjectRow](), ""
    while True:
        async with db.begin() as session:
            rows = await repo.list_whole(session, after, _PAGE)
        if not rows:
            return missing
        for row in rows:
            info = await store.head(row.key)
            if info is None or info.size_bytes != row.size_bytes:
                missing.append(row)
        after = rows[-1].key


async def _list_orphans(db: Database, store: BlobStore, now: datetime) -> list[tuple[BlobInfo, float]]:
    orphans, page = list[tuple[BlobInfo, float]](), list[BlobInfo]()
    async for blob in store.list_blobs():
        page.append(blob)
        if len(page) == _PAGE:
            orphans += await _unknown(db, page, now)
            page = []
    return orphans + await _unknown(db, page, now)


async def _unknown(db: Database, page: list[BlobInfo], now: datetime) -> list[tuple[BlobInfo, float]]:
    async with db.begin() as session:
        known = await repo.list_known(session, [blob.key for blob in page])
    return [(blob, (now - blob.modified_at).total_seconds()) for blob in page if blob.key not in known]
