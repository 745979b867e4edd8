"""The route of a whole track in one form: file, words and cover, in any order, streamed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import APIRouter, Request

from plyr.api.bodies import body_of, read_picture
from plyr.api.caller import CurrentArtist
from plyr.api.multipart import Event, MultipartInvalid, PartBegin, PartData, PartEnd, read_parts
from plyr.api.problems import problem_answers
from plyr.api.resources import ResourcesOf
from plyr.api.upload_shapes import UploadAccepted
from plyr.errors import InvalidInput
from plyr.kit.ids import Did, UploadId
from plyr.runtime import Resources
from plyr.storage.protocol import Piece
from plyr.uploads import service
from plyr.uploads.errors import UploadNotFound, UploadTooLarge
from plyr.uploads.forms import check_form

router = APIRouter()

_MAX_FIELD_BYTES = 64 * 1024
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "title": {"type": "string"},
                        "album": {"type": "string"},
                        "tags": {"type": "string", "description": "a JSON list of texts"},
                        "description": {"type": "string"},
                        "image": {"type": "string", "format": "binary"},
                    },
                }
            }
        },
    }
}


@dataclass
class _Received:
    """What of a form has arrived."""

    fields: dict[str, str] = field(default_factory=dict)
    picture: bytes | None = None
    upload_id: UploadId | None = None


@router.post(
    "/tracks/",
    status_code=202,
    responses=problem_answers(400, 401, 403, 408, 413, 415, 422, 503),
    openapi_extra=_FORM,
)
async def upload_track(request: Request, artist: CurrentArtist, resources: ResourcesOf) -> UploadAccepted:
    """Upload a track in one request; it is published in the background, watch its progress."""
    settings = resources.settings
    announced = request.headers.get("content-length", "")
    room = settings.upload_max_bytes + settings.image_max_bytes + 32 * _MAX_FIELD_BYTES
    if announced.isdigit() and int(announced) > room:
        raise UploadTooLarge(settings.upload_max_bytes)
    received = _Received()
    try:
        await _receive(
            read_parts(request.headers.get("content-type"), body_of(request)), received, artist.did, resources
        )
        return await _submit(received, artist.did, resources)
    except BaseException:
        await _drop(received, artist.did, resources)
        raise


async def _receive(parts: AsyncIterator[Event], received: _Received, owner: Did, resources: Resources) -> None:
    async for part in parts:
        if not isinstance(part, PartBegin):
            continue
        if part.name == "file":
            await _receive_file(part, parts, received, owner, resources)
        elif part.name == "image" and part.filename is not None:
            received.picture = await read_picture(_data(parts), resources.settings.image_max_bytes) or None
        else:
            received.fields[part.name] = await _read_field(part.name, parts)


async def _receive_file(
    part: PartBegin, parts: AsyncIterator[Event], received: _Received, owner: Did, resources: Resources
) -> None:
    if received.upload_id is not None:
        raise MultipartInvalid("the form holds more than one file")
    limit_bytes = resources.settings.upload_max_bytes
    async with resources.db.begin() as session:
        upload = await service.begin(
            session,
            owner,
            filename=part.filename or "",
            declared_type=part.content_type,
            size_bytes=None,
            limit_bytes=limit_bytes,
        )
    received.upload_id = upload.id
    await service.append(resources.db, resources.storage, upload.id, owner, 0, _data(parts), limit_bytes=limit_bytes)
    async with resources.db.begin() as session:
        await service.complete_unsized(session, upload.id, owner)


async def _submit(received: _Received, owner: Did, resources: Resources) -> UploadAccepted:
    if received.upload_id is None:
        raise InvalidInput("the form holds no file: put the audio into the part named “file”", field="file")
    fields = received.fields
    form = check_form(
        fields.get("title"), fields.get("album"), fields.get("description"), _tags(fields.get("tags", ""))
    )
    if received.picture is not None:
        await service.set_cover(resources.db, resources.storage, received.upload_id, owner, received.picture)
    async with resources.db.begin() as session:
        return UploadAccepted.of(await service.submit(session, received.upload_id, owner, form))


async def _drop(received: _Received, owner: Did, resources: Resources) -> None:
    if received.upload_id is None:
        return
    async with resources.db.begin() as session:
        try:
            await service.cancel(session, received.upload_id, owner)
        except UploadNotFound:
            return


async def _data(parts: AsyncIterator[Event]) -> AsyncIterator[Piece]:
    async for part in parts:
        if isinstance(part, PartEnd):
            return
        if isinstance(part, PartData):
            yield part.data


async def _read_field(name: str, parts: AsyncIterator[Event]) -> str:
    value = bytearray()
    async for piece in _data(parts):
        value += piece
        if len(value) > _MAX_FIELD_BYTES:
            raise InvalidInput(f"{name[:40]} is too long", field=name[:40], limit=_MAX_FIELD_BYTES)
    return value.decode(errors="replace").replace("\0", "")


def _tags(text: str) -> list[str]:
    if not text.strip():
        return []
    try:
        tags = orjson.loads(text)
    except ValueError as error:
        raise InvalidInput("tags must be a JSON list of texts", field="tags") from error
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidInput("tags must be a JSON list of texts", field="tags")
    return tags
