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
    """Return an artist's profile as a record; None means that a field is to be taken away."""
    return {
        "$type": profile_collection(namespace),
        "createdAt": to_iso(artist.profile_at or updated_at),
        "updatedAt": to_iso(updated_at),
        "bio": artist.bio or None,
        "avatar": artist.avatar_url or None,
    }
