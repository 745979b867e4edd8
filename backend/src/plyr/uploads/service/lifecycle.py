"""An upload's life as its owner leads it: begun, described, watched, tried again, cancelled, forgotten."""

from datetime import timedelta
from uuid import uuid4

from plyr.db import Database, Session
from plyr.jobs import service as jobs
from plyr.jobs.kinds import JobKind
from plyr.kit.ids import Did, UploadId
from plyr.storage import keys
from plyr.storage import service as storage
from plyr.uploads import repo
from plyr.uploads.errors import (
    AlreadyPublishing,
    EmptyUpload,
    NotRetryable,
    UploadGone,
    UploadNotFound,
    UploadTooLarge,
)
from plyr.uploads.forms import clean_filename
from plyr.uploads.views import TrackForm, UploadRow, UploadView

UNFINISHED_KEPT_FOR = timedelta(days=7)
_LISTED = 50
_EXPIRED_AT_ONCE = 100


def owner_of(upload_id: UploadId) -> storage.Owner:
    """Return an upload as an owner of stored objects."""
    return storage.Owner("upload", str(upload_id))


async def begin(
    session: Session,
    owner: Did,
    *,
    filename: str,
    declared_type: str | None,
    size_bytes: int | None,
    limit_bytes: int,
) -> UploadRow:
    """Open an upload; `size_bytes` is None while nobody knows it.

    errors: EmptyUpload (422), UploadTooLarge (413)
    """
    if size_bytes is not None and size_bytes > limit_bytes:
        raise UploadTooLarge(limit_bytes)
    if size_bytes == 0:
        raise EmptyUpload()
    upload_id = UploadId(uuid4())
    await jobs.create(
        session,
        JobKind.UPLOAD,
        owner,
        {},
        job_id=upload_id,
        released=False,
        phase="receiving",
        message="receiving the file",
    )
    await repo.add(
        session,
        {
            "id": upload_id,
            "owner_did": owner,
            "filename": clean_filename(filename),
            "declared_type": declared_type[:100] if declared_type else None,
            "size_bytes": size_bytes,
            "file_id": keys.new_file_id(),
        },
    )
    return await require(session, upload_id, owner)


async def require(session: Session, upload_id: UploadId, owner: Did, *, lock: bool = False) -> UploadRow:
    """Return the owner's upload. errors: UploadNotFound (404), also for somebody else's."""
    upload = await repo.find(session, upload_id, owner=owner, lock=lock)
    if upload is None:
        raise UploadNotFound()
    return upload


async def view(session: Session, upload_id: UploadId, owner: Did) -> UploadView:
    """Return the owner's upload and how far it is. errors: UploadNotFound (404)."""
    upload = await require(session, upload_id, owner)
    job = await jobs.get(session, upload_id)
    if job is None:
        raise UploadNotFound()
    return UploadView(upload, job)


async def list_views(session: Session, owner: Did) -> list[UploadView]:
    """Return an owner's last 50 uploads, newest first. cost: 2 queries."""
    uploads = await repo.list_by_owner(session, owner, _LISTED)
    found = await jobs.list_by_owner(
        session, owner, JobKind.UPLOAD, job_ids=[upload.id for upload in uploads], limit=_LISTED
    )
    by_id = {job.id: job for job in found}
    return [UploadView(upload, by_id[upload.id]) for upload in uploads if upload.id in by_id]


async def submit(session: Session, upload_id: UploadId, owner: Did, form: TrackForm) -> UploadView:
    """Say that an upload is to become a track of these words; the job starts when all bytes are here too.

    errors: UploadNotFound, UploadGone (410), AlreadyPublishing (409)
    """
    upload = await require(session, upload_id, owner, lock=True)
    _require_open(upload)
    await repo.change(
        session,
        upload_id,
        {"title": form.title, "album": form.album, "description": form.description, "tags": form.tags},
    )
    await repo.mark(session, upload_id, "submitted_at")
    if upload.is_complete:
        await start_job(session, upload_id)
    return await view(session, upload_id, owner)


async def start_job(session: Session, upload_id: UploadId) -> None:
    """Hand an upload with all its bytes and words to the worker. Again: nothing."""
    await jobs.report(session, upload_id, phase="assembling", pct=50, message="putting the file together")
    await jobs.release(session, upload_id)


async def complete_unsized(session: Session, upload_id: UploadId, owner: Did) -> None:
    """Fix the size of an upload whose end has come. errors: EmptyUpload (422)."""
    upload = await require(session, upload_id, owner, lock=True)
    if upload.offset_bytes == 0:
        raise EmptyUpload()
    await repo.change(session, upload_id, {"size_bytes": upload.offset_bytes})


async def retry(session: Session, upload_id: UploadId, owner: Did) -> UploadView:
    """Start a failed upload's job again with what was kept. errors: UploadNotFound, NotRetryable (409)."""
    shown = await view(session, upload_id, owner)
    if not shown.can_retry or not await jobs.reopen(
        session, upload_id, phase="assembling", message="trying again with the audio that was kept"
    ):
        raise NotRetryable()
    return await view(session, upload_id, owner)


async def cancel(session: Session, upload_id: UploadId, owner: Did) -> None:
    """Forget an upload; its objects are deleted later, a track it became stays.

    errors: UploadNotFound, AlreadyPublishing (409) between the worker's last step and the PDS's answer
    """
    upload = await require(session, upload_id, owner, lock=True)
    job = await jobs.get(session, upload_id)
    if upload.track_id is not None and job is not None and not job.is_final:
        raise AlreadyPublishing()
    await storage.release(session, owner_of(upload_id), reason="upload cancelled")
    await _forget(session, upload_id)


async def expire_stale(db: Database) -> int:
    """Forget uploads that nobody touched for a week and that became no track; return how many."""
    async with db.begin() as session:
        stale = await repo.list_stale(session, UNFINISHED_KEPT_FOR, _EXPIRED_AT_ONCE)
        for upload_id in stale:
            await storage.release(session, owner_of(upload_id), reason="upload not finished within seven days")
            await _forget(session, upload_id)
    return len(stale)


async def _forget(session: Session, upload_id: UploadId) -> None:
    await repo.remove(session, [upload_id])
    await jobs.discard(session, upload_id)


def _require_open(upload: UploadRow) -> None:
    if upload.released_at is not None:
        raise UploadGone()
    if upload.track_id is not None:
        raise AlreadyPublishing()
