"""one suite for every form of object store."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plyr.errors import PlyrError
from plyr.kit.ids import FileId, ImageId
from plyr.storage import BlobStore, keys, open_store
from plyr.storage.errors import BlobMissing, KeyRefused, StorageUnavailable
from tests.fixtures.storage import CREDENTIALS, S3Server

MB = 1024 * 1024
TYPE = "audio/wav"


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


def new_key() -> str:
    return keys.audio_key(keys.new_file_id())


async def read(store: BlobStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.open_range(key, start, end)])


async def test_write_stream_is_read_back_whole_and_in_parts(store: BlobStore) -> None:
    key, data = new_key(), os.urandom(5 * MB + 17)
    halves = pieces(data[: 2 * MB], memoryview(data)[2 * MB :])  # type: ignore[arg-type]
    assert await store.write_stream(key, halves, content_type=TYPE) == len(data)
    assert await read(store, key) == data
    for start, end in ((0, 1), (2 * MB - 3, 2 * MB + 3), (len(data) - 1, None), (len(data) - 5, len(data) + 100)):
        assert await read(store, key, start, end) == data[start:end]
    info = await store.head(key)
    assert info is not None
    assert info.size_bytes == len(data)


async def test_write_stream_in_many_parts_is_byte_identical(store: BlobStore) -> None:
    key, block = new_key(), os.urandom(MB)
    assert await store.write_stream(key, pieces(*[block] * 20), content_type=TYPE) == 20 * MB
    assert await read(store, key) == block * 20


async def test_write_stream_source_fails_nothing_is_left(store: BlobStore) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"x" * 9 * MB
        raise RuntimeError("the sender went away")

    key = new_key()
    with pytest.raises(RuntimeError, match="went away"):
        await store.write_stream(key, failing(), content_type=TYPE)
    assert await store.head(key) is None
    assert [blob async for blob in store.list_blobs()] == []


async def test_write_stream_again_replaces_the_object(store: BlobStore) -> None:
    key = new_key()
    await store.write_stream(key, pieces(b"first and longer"), content_type=TYPE)
    await store.write_stream(key, pieces(b"second"), content_type=TYPE)
    assert await read(store, key) == b"second"


async def test_missing_object_head_none_and_read_refused(store: BlobStore) -> None:
    key = new_key()
    assert await store.head(key) is None
    with pytest.raises(BlobMissing):
        await read(store, key)


async def test_delete_twice_is_fine(store: BlobStore) -> None:
    key = new_key()
    await store.write_stream(key, pieces(b"x"), content_type=TYPE)
    await store.delete(key)
    await store.delete(key)
    assert await store.head(key) is None


async def test_delete_one_of_two_equal_objects_leaves_the_other(store: BlobStore) -> None:
    one, other = new_key(), new_key()
    for key in (one, other):
        await store.write_stream(key, pieces(b"the same bytes"), content_type=TYPE)
    await store.delete(one)
    assert await read(store, other) == b"the same bytes"


@pytest.mark.parametrize("count", [1, 3])
async def test_concat_joins_in_order_and_can_be_repeated(store: BlobStore, count: int) -> None:
    upload, dest = uuid4().hex, new_key()
    parts = [os.urandom(300_000 + n) for n in range(count)]
    sources = [f"uploads/{upload}/{n}" for n in range(count)]
    for key, part in zip(sources, parts, strict=True):
        await store.write_stream(key, pieces(part), content_type=TYPE)
    for _ in range(2):
        assert await store.concat(sources, dest, content_type=TYPE) == sum(map(len, parts))
        assert await read(store, dest) == b"".join(parts)


async def test_concat_source_missing_leaves_nothing(store: BlobStore) -> None:
    upload, dest = uuid4().hex, new_key()
    await store.write_stream(f"uploads/{upload}/0", pieces(b"x"), content_type=TYPE)
    with pytest.raises(BlobMissing):
        await store.concat([f"uploads/{upload}/0", f"uploads/{upload}/1"], dest, content_type=TYPE)
    assert await store.head(dest) is None


async def test_list_blobs_under_a_folder(store: BlobStore) -> None:
    audio, chunk = new_key(), f"uploads/{uuid4().hex}/0"
    for key in (audio, chunk):
        await store.write_stream(key, pieces(b"abc"), content_type=TYPE)
    assert {blob.key async for blob in store.list_blobs()} == {audio, chunk}
    assert [(blob.key, blob.size_bytes) async for blob in store.list_blobs("audio")] == [(audio, 3)]


async def test_check_ready_says_nothing_when_all_is_well(store: BlobStore) -> None:
    await store.check_ready()


@pytest.mark.parametrize(
    "key",
    ["../x", "audio/../../x", "/etc/passwd", "audio//x", "audio/x/../y", "audio/\0", "Audio/x", "audio", "a/.x", ""],
)
async def test_key_not_ours_is_refused_before_the_store(store: BlobStore, key: str) -> None:
    for attempt in (
        store.write_stream(key, pieces(b"x"), content_type=TYPE), store.head(key), store.delete(key), read(store, key),
        store.concat([key], new_key(), content_type=TYPE),
    ):  # fmt: skip
        with pytest.raises(KeyRefused):
            await attempt


@given(st.text())
def test_ids_from_outside_never_name_an_object_outside_their_folder(text: str) -> None:
    try:
        made = [keys.audio_key(FileId(text)), keys.image_key(ImageId(text), 96)]
    except KeyRefused:
        return
    assert all(keys.checked_key(key) == key and ".." not in key for key in made)


async def test_folder_write_by_many_at_once_last_one_whole(tmp_path: Path) -> None:
    store, key = open_store(f"file://{tmp_path}"), new_key()
    await asyncio.gather(*(store.write_stream(key, pieces(bytes([n]) * MB), content_type=TYPE) for n in range(6)))
    data = await read(store, key)
    assert len(data) == MB
    assert len(set(data)) == 1
    await store.close()


async def test_folder_that_takes_no_bytes_fails_with_a_reason(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/store")
    (tmp_path / "store" / ".partial").rmdir()
    (tmp_path / "store" / ".partial").write_text("a file in the way")
    with pytest.raises(StorageUnavailable):
        await store.write_stream(new_key(), pieces(b"x"), content_type=TYPE)
    await store.close()


async def test_s3_that_is_away_fails_within_its_retries(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    store = open_store(f"s3://bucket?endpoint=http://127.0.0.1:{free_port}&region=us-east-1")
    async with asyncio.timeout(30):
        with pytest.raises(StorageUnavailable):
            await store.write_stream(new_key(), pieces(b"x"), content_type=TYPE)
        with pytest.raises(StorageUnavailable):
            await store.head(new_key())


async def test_s3_without_its_bucket_is_not_ready(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PlyrError):
        await open_store(s3_server.url("no-such-bucket")).check_ready()


@pytest.mark.parametrize("url", ["", "file://relative/x", "http://x", "s3://", "ftp://x/y"])
def test_open_store_unknown_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="STORAGE_URL"):
        open_store(url)
