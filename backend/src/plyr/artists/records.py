"""Artist profiles as records."""

from datetime import datetime
from typing import Any

from plyr.artists.views import ArtistView
from plyr.atproto.lexicon.generated import ActorProfile
from plyr.kit.clock import to_iso
from plyr.kit.ids import RecordKey

PROFILE_KEY = RecordKey("self")


def profile_record(artist: ArtistView, namespace: str, updated_at: datetime) -> dict[str, Any]:
    """Return an artist's profile as a record; empty fields are left out."""
    profile = ActorProfile(
        created_at=to_iso(artist.profile_at or updated_at),
        updated_at=to_iso(updated_at),
        bio=artist.bio or None,
        avatar=artist.avatar_url or None,
    )
    return profile.to_record(namespace)
