"""The cover of an upload: checked and made into sizes when it is given, so that a wrong one is told at once."""

from collections.abc import AsyncIterator

from plyr.db import Database, Session
from plyr.kit.ids import Did, ImageId, UploadId
from plyr.media.service import render_covers
from plyr.media.sizes import COVER_SIZES
from plyr.storage import BlobStore, keys
from plyr.storage import service as storage
from plyr.uploads import repo
from plyr.uploads.errors import AlreadyPublishing, UploadGone
from plyr.uploads.service.lifecycle import owner_of, require

_WEBP = "image/webp"


def cover_keys(image_id: ImageId) -> list[str]:
    """Return where all sizes of a cover lie."""
    return [keys.image_key(image_id, size) for size in COVER_SIZES]


async def set_cover(db: Database, store: BlobStore, upload_id: UploadId, owner: Did, picture: bytes) -> ImageId:
    """Make a picture the cover of an upload, in place of the one it had; return its id.

    errors: ImageInvalid (422) with the reason, the cover it had stays; UploadNotFound, AlreadyPublishing (409)
    """
    async with db.begin() as session:
        await _require_open(session, upload_id, owner)
    covers = await render_covers(picture)
    image_id = keys.new_image_id()
    async with db.begin() as session:
        await _require_open(session, upload_id, owner)
        for key in cover_keys(image_id):
            await storage.claim(session, key, owner_of(upload_id), content_type=_WEBP)
    for cover in covers:
        await store.write_stream(keys.image_key(image_id, cover.size), _once(cover.data), content_type=_WEBP)
    async with db.begin() as session:
        before = await _require_open(session, upload_id, owner)
        for cover in covers:
            await storage.confirm(session, keys.image_key(image_id, cover.size), size_bytes=len(cover.data))
        await repo.change(session, upload_id, {"image_id": image_id})
        await _release(session, upload_id, before)
    return image_id


async def remove_cover(db: Database, upload_id: UploadId, owner: Did) -> None:
    """Take the cover off an upload; without one: nothing. errors: as `set_cover`."""
    async with db.begin() as session:
        before = await _require_open(session, upload_id, owner)
        await repo.change(session, upload_id, {"image_id": None})
        await _release(session, upload_id, before)


async def _require_open(session: Session, upload_id: UploadId, owner: Did) -> ImageId | None:
    upload = await require(session, upload_id, owner, lock=True)
    if upload.released_at is not None:
        raise UploadGone()
    if upload.track_id is not None:
        raise AlreadyPublishing()
    return upload.image_id


async def _release(session: Session, upload_id: UploadId, image_id: ImageId | None) -> None:
    if image_id is not None:
        await storage.release(session, owner_of(upload_id), reason="cover replaced", keys=cover_keys(image_id))


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
