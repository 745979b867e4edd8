"""What the rest of plyr asks of media: what is this audio, and a cover out of this picture."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from plyr.media.errors import EmptyFile, ImageInvalid, MediaRefused
from plyr.media.sandbox import ReadRange, read_outside
from plyr.media.sizes import COVER_SIZES


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What an audio file is, as its container and codec say and decoding proves."""

    file_type: str
    content_type: str
    codec: str
    duration_ms: int
    sample_rate: int
    channels: int
    title: str | None
    artist: str | None
    album: str | None


@dataclass(frozen=True, slots=True)
class Cover:
    """One size of a cover: a square WebP without any metadata."""

    size: int
    data: bytes


async def examine_audio(read: ReadRange, size_bytes: int) -> AudioFacts:
    """Return what an audio file is, reading its head and its tail by ranges.

    errors: EmptyFile, NotAudio, Truncated, UnsupportedFormat; ReadingFailed when it takes too long
    cost:   one process; a few MB read, all of a file without an index up to 64 MB
    """
    if size_bytes == 0:
        raise EmptyFile("the file is empty: it has no bytes")
    found, _ = await read_outside("audio", read, size_bytes, memory_mb=1536, cpu_s=60, deadline_s=180.0)
    return AudioFacts(**found)


async def render_covers(picture: bytes) -> list[Cover]:
    """Return a picture in every cover size: upright, square, without metadata.

    errors: ImageInvalid with the reason
    cost:   one process, about half a second for a photo
    """
    if not picture:
        raise ImageInvalid("the picture is empty: it has no bytes")

    async def read(start: int, end: int) -> AsyncIterator[bytes]:
        yield picture[start:end]

    try:
        _, blobs = await read_outside("pictures", read, len(picture), memory_mb=1536, cpu_s=30, deadline_s=60.0)
    except ImageInvalid:
        raise
    except MediaRefused as error:
        raise ImageInvalid("this picture needs more memory or time than a cover may take") from error
    return [Cover(size, blob) for size, blob in zip(COVER_SIZES, blobs, strict=True)]
