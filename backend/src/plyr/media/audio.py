"""What an audio file is. Runs as the reading process (`piped.py`)."""

import contextlib
import math
import struct
from collections.abc import Iterator
from typing import Any

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from plyr.media.errors import EmptyFile, MediaRefused, NotAudio, Truncated, UnsupportedFormat
from plyr.media.formats import AAC, ACCEPTED, HEAD_BYTES, MP3, OGG, WAV, AudioFormat, id3_bytes, sniff
from plyr.media.piped import PipedFile, serve

_WALK_BYTES = 64 * 1024 * 1024
_SHORT_S = 15.0
_HEAD_S = 3.0
_TAIL_S = 5.0
_TOLERANCE_S = 0.5
_MAX_TAG = 512
_MAX_CHUNKS = 64
_OPEN_SIZE = 0x7FFF_F000
_STILLS = frozenset({"mjpeg", "png", "bmp", "gif", "webp"})


def examine(file: PipedFile) -> dict[str, Any]:
    """Return the facts of `service.AudioFacts`, or why the file is refused."""
    try:
        return _examine(file)
    except MediaRefused as refusal:
        return {"refused": refusal.code, "detail": refusal.detail}
    except MemoryError:
        return {"refused": "unsupported_format", "detail": "this file needs more memory than audio should"}


def _examine(file: PipedFile) -> dict[str, Any]:
    head = file.read(HEAD_BYTES)
    kind = sniff(head)
    if (tag_bytes := id3_bytes(head)) >= len(head):
        # a picture in the tag fills the head: what follows it decides
        file.seek(tag_bytes)
        body = file.read(HEAD_BYTES)
        if not body:
            raise EmptyFile("there is no sound in this file, only a tag")
        kind = sniff(body)
    _refuse_cut_container(file, kind, head)
    file.seek(0)
    try:
        container = av.open(file, "r", format=kind.demuxer, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise _unreadable(kind) from error
    with container:
        stream = _audio_stream(container, kind)
        duration_s = _duration(file, container, stream, kind, head)
        codec = stream.codec_context
        tags = {name.lower(): value for name, value in {**container.metadata, **stream.metadata}.items()}
        return {
            "file_type": kind.file_type,
            "content_type": kind.content_type,
            "codec": codec.codec.canonical_name,
            "duration_ms": max(1, round(duration_s * 1000)),
            "sample_rate": codec.sample_rate,
            "channels": codec.channels,
            **{name: _tag(tags, name) for name in ("title", "artist", "album")},
        }


def _audio_stream(container: InputContainer, kind: AudioFormat) -> AudioStream:
    for video in container.streams.video:
        attached = bool(video.disposition & av.stream.Disposition.attached_pic)
        if not attached and video.codec_context.codec.canonical_name not in _STILLS:
            raise UnsupportedFormat(f"this is a video; {ACCEPTED}")
    if not container.streams.audio:
        raise NotAudio("there is no sound in this file")
    stream = container.streams.audio[0]
    try:
        name = stream.codec_context.codec.canonical_name
    except AttributeError as error:
        raise _unreadable(kind) from error
    if not kind.accepts(name):
        raise UnsupportedFormat(f"this {kind.file_type} file holds {name}, which browsers do not play; {ACCEPTED}")
    if not stream.codec_context.sample_rate or not 1 <= stream.codec_context.channels <= 8:
        raise UnsupportedFormat("this file has a sample rate or a number of channels that nothing can play")
    return stream


def _duration(file: PipedFile, container: InputContainer, stream: AudioStream, kind: AudioFormat, head: bytes) -> float:
    declared_s = _declared(container, stream)
    unindexed = kind in (MP3, AAC) and _vbr_header(head) is None
    if declared_s is None or (unindexed and file.size <= _WALK_BYTES):
        return _walk(container, stream, kind)
    if declared_s <= 0:
        raise EmptyFile("there is no sound in this file: it lasts zero seconds")
    whole = declared_s <= _SHORT_S
    end_s = _decode_until(container, stream, math.inf if whole else _HEAD_S)
    if end_s is None:
        raise _unreadable(kind)
    if not whole and not (unindexed or kind is MP3):
        with contextlib.suppress(av.error.FFmpegError):
            start_s = container.start_time / av.time_base if container.start_time else 0.0
            container.seek(int((start_s + declared_s - _TAIL_S) * av.time_base))
            end_s = _decode_until(container, stream, math.inf) or end_s
        whole = True
    if whole and end_s < declared_s - max(_TOLERANCE_S, declared_s * 0.001):
        raise Truncated(
            f"the file is cut off: it says it lasts {declared_s:.1f} seconds, the sound ends after {end_s:.1f}. "
            "export or copy it again"
        )
    return declared_s


def _declared(container: InputContainer, stream: AudioStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return container.duration / av.time_base
    return None


def _decode_until(container: InputContainer, stream: AudioStream, limit_s: float) -> float | None:
    """Return where the decoded sound ends, counted from the stream's start; None if nothing decodes."""
    start_s = float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
    end_s: float | None = None
    for frame in _frames(container, stream):
        if frame.pts is not None and frame.time_base is not None:
            end_s = float(frame.pts * frame.time_base) + frame.samples / frame.sample_rate - start_s
        else:
            end_s = (end_s or 0.0) + frame.samples / frame.sample_rate
        if end_s >= limit_s:
            break
    return end_s


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        with contextlib.suppress(av.error.FFmpegError):
            yield from packet.decode()


def _walk(container: InputContainer, stream: AudioStream, kind: AudioFormat) -> float:
    """Return the sum of all packets' lengths: exact where the file itself does not say."""
    if _decode_until(container, stream, _HEAD_S) is None:
        raise _unreadable(kind)
    container.seek(0)
    total = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            break
        total += packet.duration or 0
    duration_s = float(total * stream.time_base) if stream.time_base else 0.0
    if duration_s <= 0:
        raise EmptyFile("there is no sound in this file: it lasts zero seconds")
    return duration_s


def _refuse_cut_container(file: PipedFile, kind: AudioFormat, head: bytes) -> None:
    """Refuse files that end before what their own headers count, where that is told without decoding."""
    if kind is MP3 and (declared := _vbr_header(head)):
        present = file.size - id3_bytes(head)
        if present + 4096 < declared:
            raise Truncated(
                f"the file is cut off: {present:,} of {declared:,} bytes of sound are there. export or copy it again"
            )
    if kind is WAV:
        _refuse_cut_wav(file)
    if kind is OGG and _ends_inside_page(file):
        raise Truncated("the file is cut off in the middle of its last page. export or copy it again")


def _refuse_cut_wav(file: PipedFile) -> None:
    """Compare the size of the `data` chunk with the bytes there; writers to a pipe leave the size open."""
    declared_64, bytes_per_s, at = 0, 0, 12
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        header = file.read(8 + 24)
        if len(header) < 8:
            return
        name, size = struct.unpack_from("<4sI", header)
        if name == b"ds64" and len(header) >= 24:
            declared_64 = struct.unpack_from("<Q", header, 16)[0]
        elif name == b"fmt " and len(header) >= 20:
            bytes_per_s = struct.unpack_from("<I", header, 16)[0]
        elif name == b"data":
            _compare_wav(declared_64 or size, file.size - at - 8, bytes_per_s)
            return
        at += 8 + size + size % 2


def _compare_wav(declared: int, present: int, bytes_per_s: int) -> None:
    if present <= 0:
        raise EmptyFile("there is no sound in this file: it lasts zero seconds")
    is_open = declared in (0, 0xFFFF_FFFF) or _OPEN_SIZE <= declared <= 0x7FFF_FFFF
    if not is_open and present + bytes_per_s * _TOLERANCE_S < declared:
        raise Truncated(
            f"the file is cut off: {present:,} of {declared:,} bytes of sound are there. export or copy it again"
        )


def _vbr_header(head: bytes) -> int | None:
    """Return how many bytes of sound an mp3's first frame announces: 0 if it announces none, None without header."""
    frame = head[id3_bytes(head) :].lstrip(b"\0")[:256]
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark)
        if at > 0 and len(frame) >= at + 16:
            flags, *fields = struct.unpack_from("!3I", frame, at + 4)
            if not flags & 2:
                return 0
            return int(fields[1] if flags & 1 else fields[0])
    return None


def _ends_inside_page(file: PipedFile) -> bool:
    file.seek(max(0, file.size - 66_000))
    tail = file.read(66_000)
    at = tail.rfind(b"OggS")
    if at < 0:
        return False
    if len(tail) < at + 27 or len(tail) < at + 27 + tail[at + 26]:
        return True
    segments = tail[at + 27 : at + 27 + tail[at + 26]]
    return len(tail) < at + 27 + len(segments) + sum(segments)


def _unreadable(kind: AudioFormat) -> MediaRefused:
    # two bytes make a beginning of mp3 or aac; the others have a real signature, so something was cut
    refusal = NotAudio if kind in (MP3, AAC) else Truncated
    return refusal(
        f"the file begins like {kind.file_type}, but no sound can be read from it: it is cut off or damaged. "
        "export or copy it again"
    )


def _tag(tags: dict[str, str], name: str) -> str | None:
    text = " ".join(tags.get(name, "").replace("\0", " ").split())[:_MAX_TAG]
    return text if text and "\ufffd" not in text else None


if __name__ == "__main__":
    serve(lambda file: (examine(file), []))
