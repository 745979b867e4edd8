"""Every statement on the table of ownership."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from plyr.storage.models import MediaObject
from plyr.storage.views import ObjectRow

_PURGE_MARGIN = timedelta(minutes=5)
_COLUMNS = (
    MediaObject.key, MediaObject.owner_kind, MediaObject.owner_id, MediaObject.content_type,
    MediaObject.size_bytes, MediaObject.sha256, MediaObject.created_at, MediaObject.public_at,
    MediaObject.delete_after, MediaObject.delete_reason,
)  # fmt: skip


async def claim(session: AsyncSession, key: str, owner_kind: str, owner_id: str, content_type: str) -> bool:
    """Insert a row, or find the same owner's; False: the key is somebody else's or was given up."""
    claimed = await session.execute(
        insert(MediaObject)
        .values(key=key, owner_kind=owner_kind, owner_id=owner_id, content_type=content_type)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={"content_type": content_type},
            where=(MediaObject.owner_kind == owner_kind)
            & (MediaObject.owner_id == owner_id)
            & MediaObject.delete_after.is_(None),
        )
        .returning(MediaObject.key)
    )
    return claimed.first() is not None


async def set_written(session: AsyncSession, key: str, size_bytes: int, sha256: str | None) -> bool:
    """Note that an object is whole. False: it was given up meanwhile."""
    done = await session.execute(
        update(MediaObject)
        .where(MediaObject.key == key, MediaObject.delete_after.is_(None))
        .values(size_bytes=size_bytes, sha256=sha256)
        .returning(MediaObject.key)
    )
    return done.first() is not None


async def transfer(
    session: AsyncSession, keys: Sequence[str], from_kind: str, from_id: str, to_kind: str, to_id: str
) -> int:
    """Change the owner of an owner's whole objects; return how many there were."""
    moved = await session.execute(
        update(MediaObject)
        .where(
            MediaObject.key.in_(keys),
            MediaObject.owner_kind == from_kind,
            MediaObject.owner_id == from_id,
            MediaObject.size_bytes.is_not(None),
            MediaObject.delete_after.is_(None),
        )
        .values(owner_kind=to_kind, owner_id=to_id, public_at=None)
        .returning(MediaObject.key)
    )
    return len(moved.all())


async def take_back(
    session: AsyncSession, keys: Sequence[str], from_kind: str, from_id: str, to_kind: str, to_id: str
) -> int:
    """Change the owner of whole objects, also of those given up whose deletion is not near; return how many."""
    moved = await session.execute(
        update(MediaObject)
        .where(
            MediaObject.key.in_(keys),
            MediaObject.owner_kind == from_kind,
            MediaObject.owner_id == from_id,
            MediaObject.size_bytes.is_not(None),
            or_(MediaObject.delete_after.is_(None), MediaObject.delete_after > func.now() + _PURGE_MARGIN),
        )
        .values(owner_kind=to_kind, owner_id=to_id, public_at=None, delete_after=None, delete_reason=None)
        .returning(MediaObject.key)
    )
    return len(moved.all())


async def set_public(session: AsyncSession, owner_kind: str, owner_id: str) -> None:
    """Let strangers fetch what an owner has."""
    await session.execute(
        update(MediaObject)
        .where(
            MediaObject.owner_kind == owner_kind,
            MediaObject.owner_id == owner_id,
            MediaObject.size_bytes.is_not(None),
            MediaObject.public_at.is_(None),
        )
        .values(public_at=func.now())
    )


async def give_up(
    session: AsyncSession, owner_kind: str, owner_id: str, keys: Sequence[str] | None, reason: str, delay: timedelta
) -> int:
    """Mark an owner's objects, all or some, for deletion; return how many were not marked yet."""
    query = update(MediaObject).where(
        MediaObject.owner_kind == owner_kind, MediaObject.owner_id == owner_id, MediaObject.delete_after.is_(None)
    )
    if keys is not None:
        query = query.where(MediaObject.key.in_(keys))
    done = await session.execute(
        query.values(delete_after=func.now() + delay, delete_reason=reason, public_at=None).returning(MediaObject.key)
    )
    return len(done.all())


async def keep_again(session: AsyncSession, owner_kind: str, owner_id: str) -> None:
    """Take back the marks of an owner's objects that are still there, and let strangers fetch them again."""
    await session.execute(
        update(MediaObject)
        .where(
            MediaObject.owner_kind == owner_kind,
            MediaObject.owner_id == owner_id,
            MediaObject.delete_after > func.now(),
            MediaObject.size_bytes.is_not(None),
        )
        .values(delete_after=None, delete_reason=None, public_at=func.now())
    )


async def find(session: AsyncSession, key: str) -> ObjectRow | None:
    """Return an object's row, None if nobody owns such a key."""
    row = (await session.execute(select(*_COLUMNS).where(MediaObject.key == key))).mappings().first()
    return ObjectRow(**row) if row else None


async def list_owned(session: AsyncSession, owner_kind: str, owner_id: str) -> list[ObjectRow]:
    """Return what an owner has and has not given up."""
    rows = await session.execute(
        select(*_COLUMNS)
        .where(
            MediaObject.owner_kind == owner_kind, MediaObject.owner_id == owner_id, MediaObject.delete_after.is_(None)
        )
        .order_by(MediaObject.key)
    )
    return [ObjectRow(**row) for row in rows.mappings()]


async def list_due(session: AsyncSession, limit: int) -> list[str]:
    """Return keys whose time to be deleted has come, the longest due first."""
    rows = await session.execute(
        select(MediaObject.key)
        .where(MediaObject.delete_after <= func.now())
        .order_by(MediaObject.delete_after)
        .limit(limit)
    )
    return list(rows.scalars())


async def forget(session: AsyncSession, keys: Sequence[str]) -> None:
    """Remove the rows of objects that were deleted."""
    await session.execute(delete(MediaObject).where(MediaObject.key.in_(keys), MediaObject.delete_after <= func.now()))


async def list_whole(session: AsyncSession, after: str, limit: int) -> list[ObjectRow]:
    """Return rows that promise a whole object, in the order of their keys."""
    rows = await session.execute(
        select(*_COLUMNS)
        .where(MediaObject.key > after, MediaObject.size_bytes.is_not(None), MediaObject.delete_after.is_(None))
        .order_by(MediaObject.key)
        .limit(limit)
    )
    return [ObjectRow(**row) for row in rows.mappings()]


async def list_known(session: AsyncSession, keys: Sequence[str]) -> set[str]:
    """Return those of some keys that have a row."""
    rows = await session.execute(select(MediaObject.key).where(MediaObject.key.in_(keys)))
    return set(rows.scalars())
