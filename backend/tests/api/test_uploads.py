"""resumable uploads over HTTP: the protocol, the form, the cover, who may do what."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plyr.api import tus
from tests.fixtures.media import AudioFile, ImageFile
from tests.fixtures.uploads import BYTES, TUS, OpenStudio, Studio


async def test_options_tells_version_extensions_and_limit(studio: Studio) -> None:
    answer = await studio.client.options("/uploads/")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,termination"
    assert answer.headers["tus-max-size"] == "1536000000"


async def test_create_location_is_relative_and_head_says_zero(studio: Studio) -> None:
    upload_id = await studio.begin(10)
    assert "/" not in upload_id
    answer = await studio.client.head(f"/uploads/{upload_id}", headers=TUS)
    assert answer.headers["upload-offset"] == "0"
    assert answer.headers["upload-length"] == "10"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["tus-resumable"] == "1.0.0"


async def test_append_in_pieces_moves_the_offset(studio: Studio) -> None:
    upload_id = await studio.begin(10)
    for offset, data in ((0, b"abc"), (3, b""), (3, b"defghij")):
        answer = await studio.patch(upload_id, offset, data)
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(offset + len(data))
    status = await studio.status(upload_id)
    assert (status["phase"], status["status"], status["offset_bytes"]) == ("receiving", "pending", 10)


@pytest.mark.parametrize("offset", [0, 2, 4, 99])
async def test_append_wrong_offset_is_409_and_keeps_what_was_there(studio: Studio, offset: int) -> None:
    upload_id = await studio.begin(10)
    await studio.patch(upload_id, 0, b"abc")
    answer = await studio.patch(upload_id, offset, b"x")
    assert answer.status_code == 409
    assert answer.json()["offset_bytes"] == 3
    assert await studio.offset(upload_id) == 3


async def test_append_while_another_sends_is_423(studio: Studio) -> None:
    upload_id = await studio.begin(6)
    began, end = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"abc"
        began.set()
        await end.wait()
        yield b"def"

    first = asyncio.create_task(studio.patch(upload_id, 0, slow()))
    await began.wait()
    await asyncio.sleep(0.1)
    second = await studio.patch(upload_id, 0, b"xyz")
    end.set()
    assert second.status_code == 423
    assert (await first).headers["upload-offset"] == "6"


async def test_append_of_another_type_is_415(studio: Studio) -> None:
    upload_id = await studio.begin(3)
    headers = TUS | {"upload-offset": "0", "content-type": "audio/flac"}
    answer = await studio.client.patch(f"/uploads/{upload_id}", headers=headers, content=b"abc")
    assert answer.status_code == 415


async def test_append_more_than_announced_is_413(studio: Studio) -> None:
    upload_id = await studio.begin(3)
    assert (await studio.patch(upload_id, 0, b"abcd")).status_code == 413
    assert await studio.offset(upload_id) == 0

    async def unsized() -> AsyncIterator[bytes]:
        yield b"abcdef"

    assert (await studio.patch(upload_id, 0, unsized())).status_code == 413
    assert await studio.offset(upload_id) == 3


@pytest.mark.parametrize("headers", [{}, {"tus-resumable": "0.2.2"}])
async def test_other_version_is_412(studio: Studio, headers: dict[str, str]) -> None:
    upload_id = await studio.begin(3)
    for answer in (
        await studio.client.post("/uploads/", headers=headers | {"upload-length": "3"}),
        await studio.client.head(f"/uploads/{upload_id}", headers=headers),
        await studio.client.patch(f"/uploads/{upload_id}", headers=headers | {"upload-offset": "0"}),
    ):
        assert answer.status_code == 412


@pytest.mark.parametrize(
    ("length", "status", "code"),
    [("0", 422, "empty_file"), ("1536000001", 413, "too_large"), ("x", 400, "invalid_request"),
     ("-1", 400, "invalid_request"), ("", 400, "invalid_request"), ("9" * 30, 400, "invalid_request")],
)  # fmt: skip
async def test_create_bad_length_is_refused(studio: Studio, length: str, status: int, code: str) -> None:
    answer = await studio.client.post("/uploads/", headers=TUS | {"upload-length": length})
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_create_bad_metadata_is_400(studio: Studio) -> None:
    headers = TUS | {"upload-length": "3", "upload-metadata": "filename !!!"}
    assert (await studio.client.post("/uploads/", headers=headers)).status_code == 400


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=50), max_size=4))
def test_metadata_round_trips(values: dict[str, str]) -> None:
    header = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
    found = tus.read_metadata({"upload-metadata": header})
    assert found == {name: value.replace("\0", "") for name, value in values.items()}


@given(st.text(max_size=200))
def test_metadata_of_any_text_never_breaks(header: str) -> None:
    with contextlib.suppress(tus.TusHeaderInvalid):
        tus.read_metadata({"upload-metadata": header})


async def test_termination_forgets_the_upload(studio: Studio) -> None:
    upload_id = await studio.begin(3)
    await studio.patch(upload_id, 0, b"ab")
    assert (await studio.client.delete(f"/uploads/{upload_id}", headers=TUS)).status_code == 204
    assert (await studio.client.head(f"/uploads/{upload_id}", headers=TUS)).status_code == 404
    assert (await studio.patch(upload_id, 2, b"c")).status_code == 404


async def test_upload_of_another_is_like_one_that_does_not_exist(open_studio: OpenStudio) -> None:
    alice, bob = await open_studio("alice"), await open_studio("bob")
    upload_id = await alice.begin(3)
    for upload in (upload_id, str(uuid4()), "not-an-id"):
        for method, path in (
            ("HEAD", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", "/cover"), ("DELETE", "/cover"), ("GET", "/status"),
            ("POST", "/retry"), ("POST", "/publish"),
        ):  # fmt: skip
            json = {"title": "x"} if path == "/publish" else None
            headers = BYTES | {"upload-offset": "0"} if method == "PATCH" else TUS
            answer = await bob.client.request(method, f"/uploads/{upload}{path}", headers=headers, json=json)
            assert answer.status_code == 404, (method, path)
        assert (await bob.client.get(f"/tracks/uploads/{upload}/progress")).status_code == 404
    assert (await bob.client.get("/uploads/")).json() == {"uploads": []}


async def test_upload_without_a_session_is_401(studio: Studio) -> None:
    upload_id = await studio.begin(3)
    nobody = {"authorization": "Bearer nobody"}
    for method, path in (("POST", "/uploads/"), ("GET", "/uploads/"), ("HEAD", f"/uploads/{upload_id}"),
                         ("POST", "/tracks/"), ("GET", f"/tracks/uploads/{upload_id}/progress")):  # fmt: skip
        answer = await studio.client.request(method, path, headers=TUS | nobody)
        assert answer.status_code == 401, path


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"title": "x" * 300}, "title"),
        ({"title": "x", "album": "y" * 257}, "album"),
        ({"title": "x", "description": "z" * 5001}, "description"),
        ({"title": "x", "tags": [str(n) for n in range(11)]}, "tags"),
        ({"title": "x", "tags": ["t" * 65]}, "tags"),
    ],
)
async def test_publish_words_too_long_names_field_and_limit(
    studio: Studio, form: dict[str, object], field: str
) -> None:
    upload_id = await studio.begin(3)
    answer = await studio.client.post(f"/uploads/{upload_id}/publish", json=form)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert "at most" in answer.json()["detail"]
    assert not (await studio.status(upload_id))["is_submitted"]


async def test_publish_family_emoji_count_as_one_character_each(studio: Studio) -> None:
    upload_id = await studio.begin(3)
    answer = await studio.client.post(f"/uploads/{upload_id}/publish", json={"title": "👨‍👩‍👧‍👦" * 256})
    assert answer.status_code == 202


async def test_publish_before_the_bytes_starts_with_the_last_one(studio: Studio, audio_file: AudioFile) -> None:
    data = audio_file("flac").read_bytes()
    upload_id = await studio.begin(len(data))
    answer = await studio.client.post(f"/uploads/{upload_id}/publish", json={"title": "early"})
    assert answer.json() == {"upload_id": upload_id, "status": "pending"}
    await studio.patch(upload_id, 0, data[:100])
    assert (await studio.status(upload_id))["phase"] == "receiving"
    await studio.patch(upload_id, 100, data[100:])
    assert (await studio.status(upload_id))["phase"] == "assembling"
    assert (await studio.work(upload_id)).phase == "publishing"


async def test_cover_is_shown_and_replaced_and_removed(studio: Studio, image_file: ImageFile) -> None:
    upload_id = await studio.begin(3)
    urls = []
    for seed in (1, 2):
        picture = image_file("png", 400, 300, seed=seed).read_bytes()
        answer = await studio.client.put(f"/uploads/{upload_id}/cover", content=picture)
        assert answer.status_code == 200, answer.text
        urls.append(answer.json()["image_url"])
    assert urls[0] != urls[1]
    assert (await studio.client.get(httpx.URL(urls[1]).path.removeprefix("/api"))).status_code == 200
    assert (await studio.client.get(httpx.URL(urls[0]).path.removeprefix("/api"))).status_code == 404
    assert (await studio.client.delete(f"/uploads/{upload_id}/cover")).status_code == 204
    assert (await studio.status(upload_id))["image_url"] is None


@pytest.mark.parametrize("picture", [b"", b"this is no picture", b"\x89PNG\r\n\x1a\n broken"])
async def test_cover_that_is_no_picture_is_422_and_the_old_one_stays(
    studio: Studio, image_file: ImageFile, picture: bytes
) -> None:
    upload_id = await studio.begin(3)
    good = await studio.client.put(f"/uploads/{upload_id}/cover", content=image_file("jpg").read_bytes())
    answer = await studio.client.put(f"/uploads/{upload_id}/cover", content=picture)
    assert (answer.status_code, answer.json()["error"]) == (422, "image_invalid")
    shown = (await studio.status(upload_id))["image_url"]
    assert shown.rsplit("/", 1)[0] == good.json()["image_url"].rsplit("/", 1)[0]


async def test_cover_too_large_is_refused(open_studio: OpenStudio) -> None:
    studio = await open_studio(image_max_mb=1)
    upload_id = await studio.begin(3)
    answer = await studio.client.put(f"/uploads/{upload_id}/cover", content=b"x" * 1_000_001)
    assert (answer.status_code, answer.json()["error"], answer.json()["limit_mb"]) == (422, "image_invalid", 1)


async def test_list_shows_newest_first_with_where_each_stands(studio: Studio) -> None:
    first, second = await studio.begin(3, "a.mp3"), await studio.begin(4, "b/../c.mp3")
    await studio.patch(second, 0, b"ab")
    uploads = (await studio.client.get("/uploads/")).json()["uploads"]
    assert [(upload["upload_id"], upload["filename"], upload["offset_bytes"]) for upload in uploads] == [
        (second, "c.mp3", 2), (first, "a.mp3", 0),
    ]  # fmt: skip
    assert uploads[0]["server_progress_pct"] == 25
