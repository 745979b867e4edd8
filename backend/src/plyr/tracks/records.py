"""Tracks as records, and back."""

from datetime import datetime
from typing import Any

from plyr.atproto.lexicon.generated import Track
from plyr.config import Settings
from plyr.kit.clock import to_iso
from plyr.kit.ids import Cid, FileId, ImageId
from plyr.kit.record_events import RecordEvent
from plyr.tracks.views import TrackDraft

COVER_SIZE = 1200


def audio_url(media_url: str, file_id: FileId) -> str:
    """Return where a track's audio is played from."""
    return f"{media_url}/audio/{file_id}"


def image_url(media_url: str, image_id: ImageId, size: int = COVER_SIZE) -> str:
    """Return where a cover lies in one of its sizes (96, 320, 640, 1200 px)."""
    return f"{media_url}/images/{image_id}/{size}.webp"


def track_record(draft: TrackDraft, artist_name: str, created_at: datetime, settings: Settings) -> dict[str, Any]:
    """Return the record of a draft; empty fields are left out. units: `duration` in whole seconds."""
    cover = draft.image_id
    track = Track(
        title=draft.title,
        artist=artist_name,
        file_type=draft.file_type,
        created_at=to_iso(created_at),
        audio_url=audio_url(settings.media_url, draft.file_id),
        album=draft.album or None,
        duration=max(1, round(draft.duration_ms / 1000)),
        image_url=image_url(settings.media_url, cover) if cover else None,
        description=draft.description or None,
        tags=draft.tags or None,
    )
    return track.to_record(settings.atproto_namespace)


def shown_row(event: RecordEvent) -> dict[str, Any]:
    """Return the columns a valid record's author decides: words only, never where bytes lie."""
    record = event.record or {}
    return {
        "uri": event.uri,
        "cid": event.cid,
        "artist_did": event.did,
        "title": record["title"],
        "album_title": record.get("album"),
        "description": record.get("description"),
        "tags": list(record.get("tags") or []),
        "created_at": event.claimed_at(record["createdAt"]),
    }


def audio_blob(event: RecordEvent) -> Cid | None:
    """Return the CID of the audio that the author's server keeps for a valid record, None if it keeps none."""
    blob = (event.record or {}).get("audioBlob")
    return Cid(blob["ref"]["$link"]) if blob else None
