"""What the upload's job writes at each of its steps; every one may be repeated."""

from dataclasses import asdict
from datetime import timedelta

from plyr.config import Settings
from plyr.db import Session
from plyr.jobs import service as jobs
from plyr.kit.ids import ImageId, UploadId
from plyr.media.service import AudioFacts
from plyr.storage import keys
from plyr.storage import service as storage
from plyr.tracks import service as tracks
from plyr.tracks.views import TrackDraft
from plyr.uploads import repo
from plyr.uploads.forms import fallback_title
from plyr.uploads.service.covers import cover_keys
from plyr.uploads.service.lifecycle import owner_of
from plyr.uploads.views import UploadRow

_CHUNKS_KEPT_FOR = timedelta(minutes=10)


async def load(session: Session, upload_id: UploadId) -> tuple[UploadRow, list[str]] | None:
    """Return an upload and the keys of its chunks in order; None when it was cancelled."""
    upload = await repo.find(session, upload_id)
    if upload is None or upload.released_at is not None:
        return None
    chunks = await repo.list_chunks(session, upload_id)
    return upload, [keys.chunk_key(upload_id, chunk.number) for chunk in chunks]


async def claim_audio(session: Session, upload: UploadRow, content_type: str, sha256: str) -> bool:
    """Take the key of the whole file before it is written. False: cancelled. errors: DuplicateTrack (409)."""
    if await repo.find(session, upload.id, lock=True) is None:
        return False
    await tracks.refuse_duplicate(session, upload.owner_did, sha256)
    await storage.claim(session, keys.audio_key(upload.file_id), owner_of(upload.id), content_type=content_type)
    return True


async def save_assembled(session: Session, upload: UploadRow, sha256: str) -> bool:
    """Note that the whole file is durable, and give up its chunks. False: cancelled."""
    if not await repo.change(session, upload.id, {"sha256": sha256}):
        return False
    await storage.confirm(session, keys.audio_key(upload.file_id), size_bytes=upload.size_bytes or 0, sha256=sha256)
    await repo.mark(session, upload.id, "assembled_at")
    owner = owner_of(upload.id)
    # every chunk that was ever begun, those of broken connections included
    pieces = [row.key for row in await storage.list_owned(session, owner) if row.key.startswith("uploads/")]
    await storage.release(session, owner, reason="assembled into one file", keys=pieces, delay=_CHUNKS_KEPT_FOR)
    return True


async def save_facts(session: Session, upload_id: UploadId, facts: AudioFacts) -> bool:
    """Note what the file is. False: cancelled."""
    values = asdict(facts)
    for name in ("title", "artist", "album"):
        values[f"file_{name}"] = values.pop(name)
    return await repo.change(session, upload_id, values)


async def publish(session: Session, upload_id: UploadId, settings: Settings) -> None:
    """Make the upload a track: row, wanted record, and ownership of its objects, in one transaction.

    errors: DuplicateTrack (409), ArtistProfileRequired (403)
    """
    upload = await repo.find(session, upload_id, lock=True)
    if upload is None or upload.facts is None or upload.sha256 is None or upload.size_bytes is None:
        return
    made = await tracks.publish(session, _draft(upload, upload.facts, upload.sha256, upload.size_bytes), settings)
    if upload.track_id is None:
        owner = storage.Owner("track", str(made.track_id))
        await storage.transfer(session, object_keys(upload), owner_of(upload_id), owner)
        await repo.change(session, upload_id, {"track_id": made.track_id})
    await jobs.report(session, upload_id, pct=90)
    await jobs.wait_for(session, upload_id, "publishing", "writing the track into your repo")


async def refuse(
    session: Session, upload_id: UploadId, code: str, detail: str, result: dict[str, object] | None = None
) -> None:
    """End an upload that can never become a track, and give up its objects."""
    await repo.mark(session, upload_id, "released_at")
    await storage.release(session, owner_of(upload_id), reason=f"upload refused: {code}")
    await jobs.fail(session, upload_id, code, detail, result)


def object_keys(upload: UploadRow) -> list[str]:
    """Return where everything lies that a track of this upload owns."""
    return [keys.audio_key(upload.file_id), *(cover_keys(upload.image_id) if upload.image_id else [])]


def _draft(upload: UploadRow, facts: AudioFacts, sha256: str, size_bytes: int) -> TrackDraft:
    return TrackDraft(
        artist_did=upload.owner_did,
        job_id=upload.id,
        title=upload.form.title or fallback_title(upload.filename, facts.title),
        file_id=upload.file_id,
        file_type=facts.file_type,
        duration_ms=facts.duration_ms,
        size_bytes=size_bytes,
        audio_sha256=sha256,
        album=upload.form.album,
        description=upload.form.description,
        tags=upload.form.tags,
        image_id=ImageId(upload.image_id) if upload.image_id else None,
    )
