"""Tracks as values."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from plyr.kit.ids import AtUri, Cid, Did, FileId, Handle, ImageId, JobId, TrackId


@dataclass(frozen=True, slots=True)
class TrackDraft:
    """Everything a track needs to be published: checked words, a checked file."""

    artist_did: Did
    job_id: JobId
    title: str
    file_id: FileId
    file_type: str
    duration_ms: int
    size_bytes: int
    audio_sha256: str
    album: str | None = None
    description: str | None = None
    tags: list[str] = field(default_factory=list)
    image_id: ImageId | None = None


@dataclass(frozen=True, slots=True)
class PublishedDraft:
    """A draft that is on its way to the artist's repo."""

    track_id: TrackId
    uri: AtUri


@dataclass(frozen=True, slots=True)
class SourceView:
    """What we hold of a track whose record we heard of; without a file it does not show."""

    id: TrackId
    file_id: FileId | None
    blob_cid: Cid | None
    upload_id: UUID | None


@dataclass(frozen=True, slots=True)
class AudioCopy:
    """A checked copy of the blob a record names."""

    blob_cid: Cid
    file_id: FileId
    file_type: str
    duration_ms: int
    size_bytes: int
    audio_sha256: str


@dataclass(frozen=True, slots=True)
class TrackView:
    """A track with its artist's present names, as every list and page shows it."""

    id: TrackId
    uri: AtUri
    cid: Cid | None
    title: str
    album_title: str | None
    description: str | None
    tags: list[str]
    file_id: FileId
    file_type: str
    duration_ms: int
    image_id: ImageId | None
    visibility: str
    upload_id: UUID | None
    created_at: datetime
    artist_did: Did
    artist_handle: Handle | None
    artist_name: str | None
    artist_avatar_url: str | None
