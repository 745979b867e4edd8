"""Every statement on the tables of uploads."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from plyr.kit.ids import Did, UploadId
from plyr.uploads.models import Upload, UploadChunk
from plyr.uploads.views import Chunk, Lease, UploadRow

_COLUMNS = (
    Upload.id, Upload.owner_did, Upload.filename, Upload.size_bytes, Upload.offset_bytes, Upload.submitted_at,
    Upload.title, Upload.album, Upload.description, Upload.tags, Upload.image_id, Upload.file_id, Upload.sha256,
    Upload.assembled_at, Upload.file_type, Upload.content_type, Upload.codec, Upload.duration_ms, Upload.sample_rate,
    Upload.channels, Upload.file_title, Upload.file_artist, Upload.file_album, Upload.track_id, Upload.released_at,
    Upload.created_at,
)  # fmt: skip


async def add(session: AsyncSession, values: Mapping[str, object]) -> None:
    """Insert an upload."""
    await session.execute(insert(Upload).values(**values))


async def find(
    session: AsyncSession, upload_id: UploadId, *, owner: Did | None = None, lock: bool = False
) -> UploadRow | None:
    """Return an upload, only its owner's if one is given; with `lock` nobody else changes it in this transaction."""
    query = select(*_COLUMNS).where(Upload.id == upload_id)
    if owner is not None:
        query = query.where(Upload.owner_did == owner)
    row = (await session.execute(query.with_for_update() if lock else query)).mappings().first()
    return UploadRow.of(dict(row)) if row else None


async def list_by_owner(session: AsyncSession, owner: Did, limit: int) -> list[UploadRow]:
    """Return an owner's uploads, newest first."""
    rows = await session.execute(
        select(*_COLUMNS).where(Upload.owner_did == owner).order_by(Upload.created_at.desc()).limit(limit)
    )
    return [UploadRow.of(dict(row)) for row in rows.mappings()]


async def list_stale(session: AsyncSession, age: timedelta, limit: int) -> list[UploadId]:
    """Return uploads nobody has touched for so long and that became no track."""
    rows = await session.execute(
        select(Upload.id)
        .where(
            Upload.track_id.is_(None),
            Upload.released_at.is_(None),
            Upload.updated_at < func.now() - age,
            or_(Upload.lease_until.is_(None), Upload.lease_until < func.now()),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [UploadId(upload_id) for upload_id in rows.scalars()]


async def take_lease(
    session: AsyncSession, upload_id: UploadId, owner: Did, token: UUID, offset_bytes: int, lasts: timedelta
) -> Lease | None:
    """Let one request append at an offset; None if another may, or if the upload stands elsewhere."""
    row = await session.execute(
        update(Upload)
        .where(
            Upload.id == upload_id,
            Upload.owner_did == owner,
            Upload.offset_bytes == offset_bytes,
            Upload.released_at.is_(None),
            or_(Upload.lease_until.is_(None), Upload.lease_until < func.now()),
        )
        .values(lease_token=token, lease_until=func.now() + lasts, updated_at=func.now())
        .returning(Upload.size_bytes)
    )
    found = row.first()
    return Lease(upload_id, owner, token, offset_bytes, found.size_bytes) if found else None


async def is_leased(session: AsyncSession, upload_id: UploadId) -> bool:
    """Say whether a request may append to an upload now."""
    query = select(Upload.id).where(Upload.id == upload_id, Upload.lease_until >= func.now())
    return (await session.execute(query)).first() is not None


async def extend_lease(session: AsyncSession, lease: Lease, lasts: timedelta) -> bool:
    """Keep a lease for some more time; False if it is no longer this one."""
    done = await session.execute(
        update(Upload)
        .where(Upload.id == lease.upload_id, Upload.lease_token == lease.token)
        .values(lease_until=func.now() + lasts)
        .returning(Upload.id)
    )
    return done.first() is not None


async def drop_lease(session: AsyncSession, lease: Lease) -> None:
    """Give a lease back, if it is still this one."""
    await session.execute(
        update(Upload)
        .where(Upload.id == lease.upload_id, Upload.lease_token == lease.token)
        .values(lease_token=None, lease_until=None)
    )


async def next_chunk(session: AsyncSession, lease: Lease) -> int | None:
    """Return a chunk number that was never used; None if the lease is no longer this one."""
    row = await session.execute(
        update(Upload)
        .where(Upload.id == lease.upload_id, Upload.lease_token == lease.token)
        .values(next_chunk=Upload.next_chunk + 1)
        .returning(Upload.next_chunk - 1)
    )
    return row.scalar_one_or_none()


async def add_chunk(session: AsyncSession, lease: Lease, chunk: Chunk) -> UploadRow | None:
    """Move the offset over a durable chunk; None, and nothing changed, if the lease is no longer this one."""
    row = await session.execute(
        update(Upload)
        .where(
            Upload.id == lease.upload_id,
            Upload.lease_token == lease.token,
            Upload.offset_bytes == chunk.offset_bytes,
        )
        .values(offset_bytes=chunk.offset_bytes + chunk.size_bytes, updated_at=func.now())
        .returning(*_COLUMNS)
    )
    found = row.mappings().first()
    if found is None:
        return None
    await session.execute(
        insert(UploadChunk).values(
            upload_id=lease.upload_id,
            number=chunk.number,
            offset_bytes=chunk.offset_bytes,
            size_bytes=chunk.size_bytes,
        )
    )
    return UploadRow.of(dict(found))


async def list_chunks(session: AsyncSession, upload_id: UploadId) -> list[Chunk]:
    """Return an upload's chunks in the order of its bytes."""
    rows = await session.execute(
        select(UploadChunk.number, UploadChunk.offset_bytes, UploadChunk.size_bytes)
        .where(UploadChunk.upload_id == upload_id)
        .order_by(UploadChunk.offset_bytes)
    )
    return [Chunk(*row) for row in rows]


async def change(session: AsyncSession, upload_id: UploadId, values: Mapping[str, object]) -> bool:
    """Change an upload's columns. False: it is gone."""
    done = await session.execute(
        update(Upload).where(Upload.id == upload_id).values(**values, updated_at=func.now()).returning(Upload.id)
    )
    return done.first() is not None


async def mark(session: AsyncSession, upload_id: UploadId, *columns: str) -> None:
    """Write the present instant into columns that hold none."""
    moments = {name: func.coalesce(getattr(Upload, name), func.now()) for name in columns}
    await session.execute(update(Upload).where(Upload.id == upload_id).values(**moments, updated_at=func.now()))


async def remove(session: AsyncSession, upload_ids: Sequence[UploadId]) -> None:
    """Forget uploads and their chunks."""
    await session.execute(delete(Upload).where(Upload.id.in_(upload_ids)))
