"""Routes of tracks."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Response

from plyr.api.caller import CurrentCaller
from plyr.api.problems import problem_answers
from plyr.api.resources import ResourcesOf
from plyr.api.schemas import Track, TrackPage
from plyr.kit.ids import AtUri, Did, TrackId
from plyr.tracks import service
from plyr.tracks.errors import TrackNotFound
from plyr.views import tracks as views

router = APIRouter(prefix="/tracks", tags=["tracks"])

Limit = Annotated[int, Query(ge=1, le=100)]
_BIGGEST_ID = 2**63 - 1


def _json(value: dict[str, Any]) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


@router.get("/", response_model=TrackPage, responses=problem_answers(400, 404, 422))
async def list_tracks(
    resources: ResourcesOf, limit: Limit = 50, cursor: str | None = None, artist_did: str | None = None
) -> Response:
    """Return public tracks, newest first, of everybody or of one artist."""
    artist = Did(artist_did) if artist_did else None
    return _json(await views.feed(resources.db, resources.settings, limit=limit, cursor=cursor, artist=artist))


@router.get("/me", response_model=TrackPage, responses=problem_answers(400, 401, 422))
async def my_tracks(
    caller: CurrentCaller, resources: ResourcesOf, limit: Limit = 50, cursor: str | None = None
) -> Response:
    """Return the caller's own tracks, unlisted ones included."""
    return _json(await views.own(resources.db, resources.settings, caller.did, limit=limit, cursor=cursor))


@router.get("/by-uri", response_model=Track, responses=problem_answers(404, 422))
async def track_by_uri(uri: str, resources: ResourcesOf) -> Response:
    """Return a track by the at:// address of its record."""
    return _json(await views.by_uri(resources.db, resources.settings, AtUri(uri)))


@router.get("/{track_id}", response_model=Track, responses=problem_answers(404, 422))
async def track_by_id(track_id: int, resources: ResourcesOf) -> Response:
    """Return a track."""
    return _json(await views.by_id(resources.db, resources.settings, _id(track_id)))


@router.delete("/{track_id}", status_code=204, responses=problem_answers(401, 403, 404, 422))
async def delete_track(track_id: int, caller: CurrentCaller, resources: ResourcesOf) -> None:
    """Delete the caller's own track: at once here, then its record, a day later its files."""
    async with resources.db.begin() as session:
        await service.delete(session, caller.did, _id(track_id))


def _id(track_id: int) -> TrackId:
    if not 0 < track_id <= _BIGGEST_ID:
        raise TrackNotFound()
    return TrackId(track_id)
