"""Artist profiles as records."""

from datetime import datetime
from typing import Any

from plyr.artists.views import ArtistView
from plyr.kit.clock import to_iso
from plyr.kit.ids import Nsid, RecordKey

PROFILE_KEY = RecordKey("self")


def profile_collection(namespace: str) -> Nsid:
    """Return the collection profiles live in."""
    return Nsid(f"{namespace}.actor.profile")


def profile_record(artist: ArtistView, namespace: str, updated_at: datetime) -> dict[str, Any]:
    """Return an artist's profile as a record; empty fields are left out."""
    record: dict[str, Any] = {
        "$type": profile_collection(namespace),
        "createdAt": to_iso(artist.profile_at or updated_at),
        "updatedAt": to_iso(updated_at),
    }
    if artist.bio:
        record["bio"] = artist.bio
    if artist.avatar_url:
        record["avatar"] = artist.avatar_url
    return record
