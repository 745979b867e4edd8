"""what an audio file is: judged by container and codec, proven by decoding."""

import contextlib
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plyr.media.errors import MediaRefused
from plyr.media.formats import AUDIO_FORMATS, id3_bytes, sniff
from plyr.media.service import AudioFacts, examine_audio
from plyr.storage import open_store
from tests.fixtures.media import AudioFile

TYPES = {
    "flac": ("flac", "audio/flac", "flac"), "mp3": ("mp3", "audio/mpeg", "mp3"), "m4a": ("m4a", "audio/mp4", "aac"),
    "wav": ("wav", "audio/wav", "pcm_s16le"), "aiff": ("aiff", "audio/aiff", "pcm_s16be"),
    "opus": ("ogg", "audio/ogg", "opus"),
}  # fmt: skip


async def examine(data: bytes) -> AudioFacts:
    async def read(start: int, end: int) -> AsyncIterator[bytes]:
        yield data[start:end]

    return await examine_audio(read, len(data))


async def refusal(data: bytes) -> str:
    with pytest.raises(MediaRefused) as refused:
        await examine(data)
    assert len(refused.value.detail) > 20
    return refused.value.code


def encode(path: Path, container: str, codec: str, rate: int = 44_100, format: str = "fltp") -> bytes:  # noqa: A002
    """write two seconds of noise in a codec that the shared fixture does not make."""
    with av.open(str(path), "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate, layout="stereo", format=format)
        stream.codec_context.options = {"strict": "-2"}
        for at in range(0, rate * 2, 1024):
            noise = np.random.default_rng(at).uniform(-0.3, 0.3, (2, 1024)).astype(np.float32)
            if format == "s16p":
                noise = (noise * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(noise, format=format, layout="stereo")
            frame.sample_rate, frame.pts = rate, at
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("seconds", [1, 20])
@pytest.mark.parametrize("kind", TYPES)
async def test_examine_accepted_format_knows_type_codec_and_length(
    audio_file: AudioFile, kind: str, seconds: int
) -> None:
    facts = await examine(audio_file(kind, seconds=seconds).read_bytes())
    assert (facts.file_type, facts.content_type, facts.codec) == TYPES[kind]
    assert facts.duration_ms == pytest.approx(seconds * 1000, abs=60)
    assert facts.sample_rate in (44_100, 48_000)
    assert facts.channels == 2


async def test_examine_reads_tags(audio_file: AudioFile) -> None:
    for kind in ("flac", "mp3", "m4a", "opus", "wav"):
        tags = {"title": "Größe 🎺", "artist": "somebody", "album": "lines"}
        facts = await examine(audio_file(kind, seconds=1, tags=tags).read_bytes())
        assert (facts.title, facts.artist, facts.album) == ("Größe 🎺", "somebody", "lines"), kind


@pytest.mark.parametrize(
    ("container", "codec", "format", "file_type"),
    [("ipod", "alac", "s16p", "m4a"), ("adts", "aac", "fltp", "aac"), ("ogg", "vorbis", "fltp", "ogg")],
)
async def test_examine_other_codecs(tmp_path: Path, container: str, codec: str, format: str, file_type: str) -> None:  # noqa: A002
    facts = await examine(encode(tmp_path / "x", container, codec, format=format))
    assert (facts.file_type, facts.codec) == (file_type, codec)
    assert facts.duration_ms == pytest.approx(2000, abs=80)


@pytest.mark.parametrize("share", [0.95, 0.5, 0.05])
@pytest.mark.parametrize("kind", TYPES)
async def test_examine_file_cut_off_is_refused(audio_file: AudioFile, kind: str, share: float) -> None:
    data = audio_file(kind, seconds=20).read_bytes()
    assert await refusal(data[: int(len(data) * share)]) == "truncated"


@pytest.mark.parametrize("keeps", ["head", "nothing"])
async def test_examine_no_sound_is_empty(audio_file: AudioFile, keeps: str) -> None:
    wav = audio_file("wav", seconds=1).read_bytes()
    data = wav[: wav.index(b"data") + 4] + struct.pack("<I", 0) if keeps == "head" else b""
    assert await refusal(data) == "empty_file"


async def test_examine_wav_of_open_length_lasts_as_long_as_it_is(audio_file: AudioFile) -> None:
    wav = audio_file("wav", seconds=2).read_bytes()
    at = wav.index(b"data")
    streamed = wav[:4] + b"\xff" * 4 + wav[8 : at + 4] + b"\xff" * 4 + wav[at + 8 :]
    assert (await examine(streamed)).duration_ms == pytest.approx(2000, abs=10)


async def test_examine_mp3_without_length_header_is_measured(audio_file: AudioFile) -> None:
    mp3 = audio_file("mp3", seconds=20).read_bytes()
    second_frame = mp3.index(b"\xff\xfb", mp3.index(b"Info" if b"Info" in mp3[:4000] else b"Xing"))
    assert (await examine(mp3[second_frame:])).duration_ms == pytest.approx(20_000, abs=100)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xd8\xff\xe0" + os.urandom(5000), "not_audio"),
        (b"\x89PNG\r\n\x1a\n" + os.urandom(5000), "not_audio"),
        (b"#EXTM3U\nhttp://127.0.0.1:1/secret\n", "not_audio"),
        (b"[playlist]\nFile1=/etc/passwd\n", "not_audio"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_audio"),
        (b"%PDF-1.7" + b"x" * 5000, "not_audio"),
        (b"PK\x03\x04" + b"x" * 5000, "not_audio"),
        (bytes(100_000), "not_audio"),
        (b"hello", "not_audio"),
        (b"\xff\xfb\x90\x00" + os.urandom(100_000), "not_audio"),
        (b"RIFF\xff\xff\xff\xffAVI " + bytes(5000), "unsupported_format"),
        (b"\x1aE\xdf\xa3" + bytes(5000), "unsupported_format"),
        (b"fLaC" + os.urandom(50_000), "truncated"),
        (b"OggS" + os.urandom(50_000), "truncated"),
        (b"RIFF\x10\0\0\0WAVE" + os.urandom(5000), "truncated"),
        (b"\0\0\0\x20ftypM4A " + os.urandom(50_000), "truncated"),
        (b"ID3\x03\0\0\x7f\x7f\x7f\x7f", "empty_file"),
    ],
)
async def test_examine_what_is_no_audio_is_refused(data: bytes, code: str) -> None:
    assert await refusal(data) == code


async def test_examine_large_picture_in_the_tag_is_passed_over(audio_file: AudioFile) -> None:
    mp3 = audio_file("mp3", seconds=2).read_bytes()
    sound = mp3[id3_bytes(mp3) :]
    picture = bytes(200_000)
    frame = b"APIC" + struct.pack(">I", len(picture) + 14) + b"\0\0" + b"\0image/png\0\3\0" + b"\0" + picture
    size = len(frame)
    tag = b"ID3\3\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + frame
    assert (await examine(tag + sound)).file_type == "mp3"
    assert await refusal(tag + os.urandom(50_000)) == "not_audio"


async def test_examine_noise_that_begins_like_mp3_is_refused() -> None:
    for _ in range(20):
        assert await refusal(b"\xff\xfb\x90\x00" + os.urandom(60_000)) == "not_audio"


async def test_examine_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(10):
            output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    assert await refusal(path.read_bytes()) == "unsupported_format"


async def test_examine_codec_no_browser_plays_is_refused(tmp_path: Path) -> None:
    assert await refusal(encode(tmp_path / "x", "mp4", "ac3")) == "unsupported_format"


async def test_examine_reads_only_head_and_tail_of_a_long_file(audio_file: AudioFile) -> None:
    data = audio_file("wav", seconds=120).read_bytes()
    asked = 0

    async def read(start: int, end: int) -> AsyncIterator[bytes]:
        nonlocal asked
        asked += end - start
        yield data[start:end]

    await examine_audio(read, len(data))
    assert asked < len(data) / 4


async def test_examine_straight_from_a_store(audio_file: AudioFile, storage_url: str) -> None:
    store = open_store(storage_url)
    data = audio_file("flac", seconds=20).read_bytes()

    async def once() -> AsyncIterator[bytes]:
        yield data

    key = "audio/" + "a" * 32
    await store.write_stream(key, once(), content_type="audio/flac")
    facts = await examine_audio(lambda start, end: store.open_range(key, start, end), len(data))
    assert facts.duration_ms == 20_000
    await store.close()


async def test_reading_process_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    from plyr.media import sandbox

    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "secret" not in str(sandbox._environment())


@given(st.binary(max_size=3000))
def test_sniff_any_bytes_gives_a_format_or_a_reason(head: bytes) -> None:
    with contextlib.suppress(MediaRefused):
        assert sniff(head) in AUDIO_FORMATS


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_id3_bytes_is_the_length_of_the_tag(before: bytes, after: bytes) -> None:
    tag = b"ID3\x04\0\0" + bytes([0, 0, len(before) >> 7, len(before) & 0x7F]) + before
    assert id3_bytes(tag + after) == len(tag)
