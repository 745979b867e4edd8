"""whatever people write comes back as they wrote it: form → record → page, and every link that is made opens."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fixtures.artist import ArtistAtWork, Product

HOSTILE = [
    "50% off / on, ?a=b&c=d #1",
    "الليل 夜 ночь 🎺👨‍👩‍👧",
    "../../etc/passwd",
    "<script>alert('x')</script>",
    "x" * 256,
    '"quoted" \\ back\\slash',
]


async def test_upload_any_title_tag_and_file_name_come_back_unchanged(
    faulty_product: Product, faulty_artist: ArtistAtWork, audio_file: Callable[..., Path], tmp_path: Path
) -> None:
    faulty_product.start_worker()
    uploads = {}
    for number, title in enumerate(HOSTILE):
        audio = tmp_path / f"{number}%2F…🎧 #?.mp3"
        audio.write_bytes(audio_file("mp3", seed=number).read_bytes())
        tags, description = json.dumps([title[:64]]), f"{title}\nsecond line"
        uploads[title] = await faulty_artist.upload(audio, title=title, tags=tags, description=description)
    records = {}
    for title, upload_id in uploads.items():
        ended = await faulty_artist.ended(upload_id)
        assert ended["status"] == "completed", ended
        track = (await faulty_artist.http.get(f"/tracks/{ended['track_id']}")).json()
        assert (track["title"], track["tags"], track["description"]) == (title, [title[:64]], f"{title}\nsecond line")
        by_uri = await faulty_artist.http.get("/tracks/by-uri", params={"uri": track["atproto_record_uri"]})
        assert by_uri.json() == track
        path = httpx.URL(track["r2_url"]).path.removeprefix("/api")
        part = await faulty_artist.http.get(path, headers={"range": "bytes=0-99"})
        assert (part.status_code, len(part.content)) == (206, 100)
        records[track["atproto_record_uri"]] = title
    written = {one["uri"]: one["value"]["title"] for one in faulty_product.records(faulty_artist.account)}
    assert written == records


async def test_artist_by_handle_and_did_is_the_same_whatever_the_case(
    faulty_product: Product, faulty_artist: ArtistAtWork
) -> None:
    account, http = faulty_artist.account, faulty_product.http
    by_did = (await http.get(f"/artists/{account.did}")).json()
    for name in (account.handle, account.handle.upper(), f"@{account.handle}", f"%40{account.handle}"):
        assert (await http.get(f"/artists/by-handle/{name}")).json() == by_did


@pytest.mark.parametrize(
    "path",
    [
        "/tracks/99999999999999999999999",
        "/tracks/-1",
        "/tracks/by-uri?uri=%00",
        "/tracks/?cursor=%F0%9F%8E%BA",
        "/tracks/?artist_did=did:plc:%00",
        "/tracks/?limit=0",
        "/artists/by-handle/%00",
        "/artists/%ED%A0%80",
        "/audio/..%2F..%2Fetc%2Fpasswd",
        "/images/x/1200.webp",
        "/auth/start?handle=%00%ff",
        "/auth/callback?state=%00&code=%00",
    ],
)
async def test_get_hostile_path_is_a_readable_refusal(faulty_product: Product, path: str) -> None:
    answer = await faulty_product.http.get(path)
    if answer.status_code == 303:
        assert "error=" in answer.headers["location"]
        return
    assert 400 <= answer.status_code < 500, answer.text
    assert set(answer.json()) >= {"error", "detail"}


async def test_parallel_requests_of_two_people_never_mix(faulty_product: Product, faulty_artist: ArtistAtWork) -> None:
    other = httpx.AsyncClient(transport=httpx.ASGITransport(faulty_product.app), base_url="http://api")
    async with other:
        somebody = await ArtistAtWork.signed_in(other, faulty_product.network.new_account())
        answers = await asyncio.gather(*(who.http.get("/auth/me") for who in (faulty_artist, somebody) * 10))
    seen = [answer.json()["did"] for answer in answers]
    assert seen == [faulty_artist.account.did, somebody.account.did] * 10
