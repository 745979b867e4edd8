"""The shapes of answers, for the OpenAPI document and the clients generated from it."""

from datetime import datetime

from pydantic import BaseModel

from plyr.artists.views import ArtistView


class Artist(BaseModel):
    """An artist's public page."""

    did: str
    handle: str | None
    display_name: str
    bio: str | None
    avatar_url: str | None
    support_url: str | None
    show_liked_on_profile: bool
    has_profile: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, artist: ArtistView) -> "Artist":
        """Present an account."""
        return cls(
            did=artist.did,
            handle=artist.handle,
            display_name=artist.name,
            bio=artist.bio,
            avatar_url=artist.avatar_url,
            support_url=artist.support_url,
            show_liked_on_profile=artist.show_liked_on_profile,
            has_profile=artist.has_profile,
            created_at=artist.created_at,
            updated_at=artist.updated_at,
        )


class Feature(BaseModel):
    """Somebody who plays on a track."""

    did: str
    handle: str
    display_name: str
    avatar_url: str | None


class TrackAlbum(BaseModel):
    """The album a track belongs to."""

    id: str
    title: str
    slug: str
    image_url: str | None


class Track(BaseModel):
    """A track. `duration` is in seconds; every address is absolute."""

    id: int
    title: str
    artist: str
    artist_did: str
    artist_handle: str
    artist_avatar_url: str | None
    file_id: str
    file_type: str
    original_file_id: str | None
    original_file_type: str | None
    duration: int
    features: list[Feature]
    r2_url: str
    atproto_record_uri: str
    atproto_record_cid: str | None
    atproto_record_url: str
    play_count: int
    like_count: int
    comment_count: int
    is_liked: bool
    created_at: datetime
    image_url: str | None
    thumbnail_url: str | None
    album: TrackAlbum | None
    album_title: str | None
    tags: list[str]
    description: str | None
    visibility: str
    copyright_flagged: bool
    copyright_match: str | None
    labels: list[str]


class TrackPage(BaseModel):
    """Some tracks, and the cursor of the next ones."""

    tracks: list[Track]
    next_cursor: str | None
    has_more: bool


class Config(BaseModel):
    """What a client must know before it asks."""

    max_upload_size_mb: int
    max_image_size_mb: int
    default_hidden_tags: list[str]
    audio_formats: list[str]


class Health(BaseModel):
    """How a process is."""

    status: str
