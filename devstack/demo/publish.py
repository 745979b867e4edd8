"""sign in as the two artists and publish every piece that is not there yet, through the real api."""

import asyncio
import io
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from devstack.audio import encode
from devstack.console import Console
from devstack.demo.catalogue import ARTISTS, PIECES, Artist, Piece
from devstack.demo.covers import draw
from devstack.demo.synth import render
from devstack.sign_in import sign_in

POLL_S = 0.3
PUBLISHED_WITHIN_S = 120.0


class DemoFailed(Exception):
    """a piece could not be published; the message says which and why."""


async def publish_all(api_url: str, console: Console) -> None:
    """publish the catalogue; what is already there is left alone.

    cost: a minute the first time, a second later
    errors: DemoFailed, when nothing answers at `api_url` or a piece is refused
    """
    if not await _is_up(api_url):
        raise DemoFailed(f"nothing answers at {api_url}. start the product first, in another terminal: ./just dev")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_publish_artist(api_url, artist, console)) for artist in ARTISTS]
    added = sum(task.result() for task in tasks)
    console.say(f"\n  {added} new pieces, {len(PIECES) - added} were already there\n")


async def _publish_artist(api_url: str, artist: Artist, console: Console) -> int:
    mine = [piece for piece in PIECES if piece.artist == artist.handle]
    async with _signed_in(api_url, artist) as api:
        there = await _titles(api)
        missing = [piece for piece in mine if piece.title not in there]
        for piece in missing:
            console.line(artist.name, f"{piece.title}: composing")
            audio, cover = await asyncio.to_thread(_make, piece)
            await _upload(api, piece, audio, cover)
            console.line(artist.name, f"{piece.title}: live")
        if not missing:
            console.line(artist.name, f"all {len(mine)} pieces are already there")
        return len(missing)


@asynccontextmanager
async def _signed_in(api_url: str, artist: Artist) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=api_url, timeout=60) as visitor:
        who = await sign_in(visitor, artist.handle)
    async with httpx.AsyncClient(base_url=api_url, timeout=60, headers=who.authorization) as api:
        if who.needs_profile:
            profile = {"display_name": artist.name, "bio": artist.bio}
            _checked(await api.post("/artists/", json=profile), f"the profile of {artist.name}")
        yield api


async def _titles(api: httpx.AsyncClient) -> set[str]:
    titles: set[str] = set()
    cursor: str | None = None
    while True:
        query: dict[str, str | int] = {"limit": 50} | ({"cursor": cursor} if cursor else {})
        page = _checked(await api.get("/tracks/me", params=query), "the list of tracks").json()
        titles |= {track["title"] for track in page["tracks"]}
        cursor = page.get("next_cursor")
        if not cursor:
            return titles


def _make(piece: Piece) -> tuple[tuple[str, bytes], bytes]:
    """return a piece's file, by name and content, and its cover as JPEG."""
    with tempfile.TemporaryDirectory() as folder:
        file = encode(render(piece), Path(folder) / f"{piece.title}.{piece.extension}", tags={"title": piece.title})
        audio = file.name, file.read_bytes()
    cover = io.BytesIO()
    draw(piece).save(cover, "JPEG", quality=90)
    return audio, cover.getvalue()


async def _upload(api: httpx.AsyncClient, piece: Piece, audio: tuple[str, bytes], cover: bytes) -> None:
    form = {
        "title": piece.title,
        "album": piece.album,
        "tags": json.dumps(piece.tags),
        "description": piece.description,
    }
    files = {"file": (*audio, "application/octet-stream"), "image": ("cover.jpg", cover, "image/jpeg")}
    accepted = _checked(await api.post("/tracks/", data=form, files=files), piece.title).json()
    try:
        async with asyncio.timeout(PUBLISHED_WITHIN_S):
            state = await _ended(api, accepted["upload_id"])
    except TimeoutError as error:
        raise DemoFailed(f"{piece.title} was not published within {PUBLISHED_WITHIN_S:g} s") from error
    if state["status"] == "failed":
        raise DemoFailed(f"{piece.title}: {state['error']}")


async def _ended(api: httpx.AsyncClient, upload_id: str) -> dict[str, Any]:
    while True:
        answer = await api.get(f"/uploads/{upload_id}/status")
        state: dict[str, Any] = _checked(answer, "the state of an upload").json()
        if state["status"] in ("completed", "failed"):
            return state
        await asyncio.sleep(POLL_S)


def _checked(answer: httpx.Response, what: str) -> httpx.Response:
    if answer.is_error:
        raise DemoFailed(f"{what}: {answer.status_code} {answer.text[:300]}")
    return answer


async def _is_up(api_url: str) -> bool:
    async with httpx.AsyncClient(timeout=5) as http:
        try:
            return (await http.get(f"{api_url}/ready")).is_success
        except httpx.TransportError:
            return False
