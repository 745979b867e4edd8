"""How the delivery of a track's record ends its upload."""

from plyr.db import Session
from plyr.jobs import service as jobs
from plyr.kit.ids import TrackId, UploadId
from plyr.storage import service as storage
from plyr.uploads import repo
from plyr.uploads.service.lifecycle import owner_of
from plyr.uploads.service.steps import object_keys

_WAITING = "sign in again to finish: your audio is kept, and this goes on by itself then"


async def publication_succeeded(session: Session, job_id: UploadId, track_id: TrackId) -> None:
    """The record is in the repo: the track's objects become public and the upload is done. Again: nothing."""
    await storage.publish(session, storage.Owner("track", str(track_id)))
    await jobs.complete(session, job_id, {"track_id": track_id}, phase="live")


async def publication_refused(session: Session, job_id: UploadId, code: str, detail: str) -> None:
    """The record will never be in the repo and the track is gone: the upload takes its objects back.

    shape:  it can be retried unless the objects went with the track
    """
    upload = await repo.find(session, job_id, lock=True)
    if upload is not None and upload.track_id is not None:
        owner = storage.Owner("track", str(upload.track_id))
        kept = await storage.take_back(session, object_keys(upload), owner, owner_of(job_id))
        await repo.change(session, job_id, {"track_id": None})
        if not kept:
            await repo.mark(session, job_id, "released_at")
    await jobs.fail(session, job_id, code, detail)


async def publication_waits(session: Session, job_id: UploadId) -> None:
    """The repo cannot be written until its owner signs in: the upload waits and goes on by itself."""
    await jobs.wait_for(session, job_id, "waiting_for_sign_in", _WAITING)
