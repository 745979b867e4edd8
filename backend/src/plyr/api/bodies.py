"""Request bodies as they arrive."""

from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from plyr.uploads.errors import ConnectionDropped, CoverTooLarge


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """Yield a request's body as it arrives. errors: ConnectionDropped when the sender goes away."""
    try:
        async for piece in request.stream():
            if piece:
                yield piece
    except ClientDisconnect as error:
        raise ConnectionDropped() from error


async def read_picture(body: AsyncIterator[bytes | memoryview], limit_bytes: int) -> bytes:
    """Return a picture's bytes. errors: CoverTooLarge (422)."""
    picture = bytearray()
    async for piece in body:
        picture += piece
        if len(picture) > limit_bytes:
            raise CoverTooLarge(limit_bytes)
    return bytes(picture)
