"""Routes of uploads: tus for clients that resume, and what surrounds the bytes: form, cover, progress."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from plyr.api import tus
from plyr.api.bodies import body_of, read_picture
from plyr.api.caller import CurrentArtist, CurrentCaller
from plyr.api.problems import problem_answers
from plyr.api.resources import ResourcesOf
from plyr.api.upload_form import router as form_router
from plyr.api.upload_shapes import CoverSet, PublishBody, Upload, UploadAccepted, UploadList, UploadProgress
from plyr.jobs import service as jobs
from plyr.kit.ids import UploadId
from plyr.tracks.records import image_url
from plyr.uploads import service
from plyr.uploads.errors import TooManyBytes, UploadNotFound
from plyr.uploads.forms import check_form
from plyr.uploads.views import UploadRow

router = APIRouter(tags=["uploads"])
router.include_router(form_router)

_BYTES = {
    "requestBody": {"required": True, "content": {tus.OFFSET_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}
_PICTURE = {
    "requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}
_COVER_SIZE = 1200


def upload_id_of(upload_id: str) -> UploadId:
    """Return the id in a path. errors: UploadNotFound (404) for anything that is no id."""
    try:
        return UploadId(UUID(upload_id))
    except ValueError as error:
        raise UploadNotFound() from error


UploadIdOf = Annotated[UploadId, Depends(upload_id_of)]


async def own_upload(upload_id: UploadIdOf, caller: CurrentCaller, resources: ResourcesOf) -> UploadRow:
    """Return the caller's upload. errors: UploadNotFound (404), also for somebody else's."""
    async with resources.db.begin() as session:
        return await service.require(session, upload_id, caller.did)


@router.options("/uploads/", status_code=204)
async def describe_tus(resources: ResourcesOf) -> Response:
    """Say which tus this speaks."""
    limit = resources.settings.upload_max_bytes
    return Response(
        status_code=204,
        headers=tus.answer_headers(tus_version=tus.VERSION, tus_extension=tus.EXTENSIONS, tus_max_size=limit),
    )


@router.post("/uploads/", status_code=201, responses=problem_answers(400, 401, 403, 412, 413, 422))
async def begin_upload(request: Request, artist: CurrentArtist, resources: ResourcesOf) -> Response:
    """Open a resumable upload (tus creation); `Location` is the upload's id, relative to this path."""
    tus.require_version(request.headers)
    size_bytes = tus.read_count(request.headers, "Upload-Length")
    metadata = tus.read_metadata(request.headers)
    async with resources.db.begin() as session:
        upload = await service.begin(
            session,
            artist.did,
            filename=metadata.get("filename") or metadata.get("name", ""),
            declared_type=metadata.get("filetype"),
            size_bytes=size_bytes,
            limit_bytes=resources.settings.upload_max_bytes,
        )
    return Response(status_code=201, headers=tus.answer_headers(location=upload.id, upload_offset=0))


@router.get("/uploads/", responses=problem_answers(401))
async def list_uploads(caller: CurrentCaller, resources: ResourcesOf) -> UploadList:
    """Return the caller's last uploads, newest first."""
    async with resources.db.begin() as session:
        views = await service.list_views(session, caller.did)
    return UploadList(uploads=[Upload.seen(view, resources.settings.media_url) for view in views])


@router.head("/uploads/{upload_id}", responses=problem_answers(401, 404, 412))
async def upload_offset(request: Request, upload: Annotated[UploadRow, Depends(own_upload)]) -> Response:
    """Say how many bytes are kept (tus core)."""
    tus.require_version(request.headers)
    length = {"upload_length": upload.size_bytes} if upload.size_bytes is not None else {}
    return Response(headers=tus.answer_headers(upload_offset=upload.offset_bytes, **length))


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    responses=problem_answers(400, 401, 404, 408, 409, 410, 412, 413, 415, 423, 503),
    openapi_extra=_BYTES,
)
async def append_bytes(
    request: Request, upload: Annotated[UploadRow, Depends(own_upload)], resources: ResourcesOf
) -> Response:
    """Append bytes at an offset (tus core); whatever arrives is kept, also when the connection breaks."""
    tus.require_version(request.headers)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != tus.OFFSET_TYPE:
        raise tus.BytesExpected()
    offset = tus.read_count(request.headers, "Upload-Offset")
    announced = request.headers.get("content-length", "0")
    left = (upload.size_bytes or 0) - offset
    if offset == upload.offset_bytes and upload.size_bytes and announced.isdigit() and int(announced) > left:
        raise TooManyBytes(upload.size_bytes)
    offset = await service.append(
        resources.db,
        resources.storage,
        upload.id,
        upload.owner_did,
        offset,
        body_of(request),
        limit_bytes=resources.settings.upload_max_bytes,
    )
    return Response(status_code=204, headers=tus.answer_headers(upload_offset=offset))


@router.delete("/uploads/{upload_id}", status_code=204, responses=problem_answers(401, 404, 409))
async def cancel_upload(upload_id: UploadIdOf, caller: CurrentCaller, resources: ResourcesOf) -> Response:
    """Cancel and forget an upload (tus termination); a track it became stays."""
    async with resources.db.begin() as session:
        await service.cancel(session, upload_id, caller.did)
    return Response(status_code=204, headers=tus.answer_headers())


@router.put("/uploads/{upload_id}/cover", responses=problem_answers(401, 404, 409, 410, 422), openapi_extra=_PICTURE)
async def set_cover(
    request: Request, upload: Annotated[UploadRow, Depends(own_upload)], resources: ResourcesOf
) -> CoverSet:
    """Make a picture the upload's cover: upright, square, without metadata."""
    picture = await read_picture(body_of(request), resources.settings.image_max_bytes)
    image_id = await service.set_cover(resources.db, resources.storage, upload.id, upload.owner_did, picture)
    return CoverSet(image_url=image_url(resources.settings.media_url, image_id, _COVER_SIZE))


@router.delete("/uploads/{upload_id}/cover", status_code=204, responses=problem_answers(401, 404, 409, 410))
async def remove_cover(upload_id: UploadIdOf, caller: CurrentCaller, resources: ResourcesOf) -> Response:
    """Take the upload's cover off."""
    await service.remove_cover(resources.db, upload_id, caller.did)
    return Response(status_code=204)


@router.post("/uploads/{upload_id}/publish", status_code=202, responses=problem_answers(401, 404, 409, 410, 422))
async def publish_upload(
    upload_id: UploadIdOf, body: PublishBody, artist: CurrentArtist, resources: ResourcesOf
) -> UploadAccepted:
    """Give the track its words; its job starts once all bytes are here too."""
    form = check_form(body.title, body.album, body.description, body.tags)
    async with resources.db.begin() as session:
        return UploadAccepted.of(await service.submit(session, upload_id, artist.did, form))


@router.get("/uploads/{upload_id}/status", responses=problem_answers(401, 404))
async def upload_status(upload_id: UploadIdOf, caller: CurrentCaller, resources: ResourcesOf) -> Upload:
    """Return an upload and how far it is."""
    async with resources.db.begin() as session:
        return Upload.seen(await service.view(session, upload_id, caller.did), resources.settings.media_url)


@router.post("/uploads/{upload_id}/retry", status_code=202, responses=problem_answers(401, 404, 409))
async def retry_upload(upload_id: UploadIdOf, caller: CurrentCaller, resources: ResourcesOf) -> UploadAccepted:
    """Try a failed upload again with the audio that was kept."""
    async with resources.db.begin() as session:
        return UploadAccepted.of(await service.retry(session, upload_id, caller.did))


@router.get(
    "/tracks/uploads/{upload_id}/progress",
    response_class=EventSourceResponse,
    responses={
        200: {"model": UploadProgress, "description": "one event a change, the last one final"},
        **problem_answers(401, 404),
    },
)
async def watch_upload(
    upload: Annotated[UploadRow, Depends(own_upload)],
    resources: ResourcesOf,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream how far an upload is until it has ended; a client that comes back gets at least the last state."""
    seen = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else 0
    async for job in jobs.watch(resources.db, upload.id, min(seen, 2**62)):
        yield ServerSentEvent(data=UploadProgress.of(job), id=str(job.revision))
