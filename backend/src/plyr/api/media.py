"""Routes of bytes: audio of published tracks, and covers."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from plyr.api.problems import problem_answers
from plyr.api.ranges import select
from plyr.api.resources import ResourcesOf
from plyr.errors import NotFound
from plyr.kit.ids import FileId, ImageId
from plyr.media.sizes import COVER_SIZES
from plyr.runtime import Resources
from plyr.storage import keys
from plyr.storage import service as storage
from plyr.storage.errors import KeyRefused
from plyr.storage.views import ObjectRow

router = APIRouter(tags=["media"])

_IMMUTABLE = "public, max-age=31536000, immutable"
_AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {
        "description": "the part asked for",
        "content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "unchanged"},
    307: {"description": "the CDN has it"},
    416: {"description": "there is no such part"},
    **problem_answers(404),
}
_IMAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "unchanged"},
    **problem_answers(404),
}


@router.get("/audio/{file_id}", response_class=Response, responses=_AUDIO)
async def audio(file_id: str, request: Request, resources: ResourcesOf) -> Response:
    """Return a published track's audio, whole or a part, or where the CDN has it."""
    row = await _find(resources, lambda: keys.audio_key(FileId(file_id)), public_only=True)
    if resources.settings.media_base_url:
        return RedirectResponse(f"{resources.settings.media_url}/{row.key}", 307)
    return await _serve(request, resources, row)


@router.head("/audio/{file_id}", response_class=Response, responses=_AUDIO)
async def audio_head(file_id: str, request: Request, resources: ResourcesOf) -> Response:
    """Describe a published track's audio."""
    return await audio(file_id, request, resources)


@router.get("/images/{image_id}/{size}.webp", response_class=Response, responses=_IMAGE)
async def image(image_id: str, size: int, request: Request, resources: ResourcesOf) -> Response:
    """Return a cover in one of its sizes: 96, 320, 640, 1200."""
    if size not in COVER_SIZES:
        raise NotFound("covers come in the sizes 96, 320, 640 and 1200")
    row = await _find(resources, lambda: keys.image_key(ImageId(image_id), size), public_only=False)
    return await _serve(request, resources, row)


@router.head("/images/{image_id}/{size}.webp", response_class=Response, responses=_IMAGE)
async def image_head(image_id: str, size: int, request: Request, resources: ResourcesOf) -> Response:
    """Describe a cover in one of its sizes."""
    return await image(image_id, size, request, resources)


async def _find(resources: Resources, key: Callable[[], str], *, public_only: bool) -> ObjectRow:
    gone = NotFound("there is no such file, or not any more")
    try:
        name = key()
    except KeyRefused as error:
        raise gone from error
    async with resources.db.begin() as session:
        row = await storage.find_served(session, name, public_only=public_only)
    if row is None:
        raise gone
    return row


async def _serve(request: Request, resources: Resources, row: ObjectRow) -> Response:
    """Answer with an object's bytes; no connection to the database is held while they flow."""
    size_bytes = row.size_bytes or 0
    etag = f'"{row.sha256 or row.key.replace("/", "-")}"'
    wanted = select(request.method, request.headers, size_bytes=size_bytes, etag=etag)
    headers = {"ETag": etag, "Cache-Control": _IMMUTABLE, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    if wanted.status == 304:
        return Response(status_code=304, headers=headers)
    if wanted.status == 416:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size_bytes}"})
    headers["Content-Length"] = str(wanted.end - wanted.start)
    if wanted.status == 206:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.end - 1}/{size_bytes}"
    if request.method == "HEAD":
        return Response(status_code=wanted.status, headers=headers, media_type=row.content_type)
    pieces = resources.storage.open_range(row.key, wanted.start, wanted.end)
    # asked for before the answer begins: an object that is gone or a store that is away is still told as an error
    first = await anext(pieces, b"")
    return StreamingResponse(_resume(first, pieces), wanted.status, headers, row.content_type)


async def _resume(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
