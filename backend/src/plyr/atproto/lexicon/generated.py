"""The records of our lexicons.

Written by `python -m plyr.atproto.lexicon.generate`; change `lexicons/` instead.
"""

from dataclasses import dataclass
from typing import ClassVar

from plyr.atproto.lexicon.record import Blob, LexObject, LexRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StrongRef(LexObject):
    """A record in one version."""

    uri: str
    """at-uri"""
    cid: str
    """cid"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListItem(LexObject):
    """A part of fm.plyr.list."""

    subject: StrongRef


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfLabel(LexObject):
    """One label."""

    val: str
    """at most 128 bytes"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfLabels(LexObject):
    """Labels an author puts on their own record."""

    values: list[SelfLabel]
    """at most 10 entries"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFeaturedArtist(LexObject):
    """Somebody who plays on a track; names are snapshots, the did is who they are."""

    did: str
    """did"""
    handle: str | None = None
    """handle"""
    display_name: str | None = None
    """at most 64 characters"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorProfile(LexRecord):
    """What an artist says of themselves."""

    collection: ClassVar[str] = "actor.profile"

    created_at: str
    """when the author made it, by their clock; datetime"""
    bio: str | None = None
    """at most 256 characters"""
    avatar: str | None = None
    """uri"""
    updated_at: str | None = None
    """datetime"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(LexRecord):
    """A remark at one moment of a track."""

    collection: ClassVar[str] = "comment"

    subject: StrongRef
    text: str
    """at most 1000 characters"""
    timestamp_ms: int
    """the moment, in milliseconds from the start"""
    created_at: str
    """when the author made it, by their clock; datetime"""
    updated_at: str | None = None
    """datetime"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Like(LexRecord):
    """The owner of the repo likes a track."""

    collection: ClassVar[str] = "like"

    subject: StrongRef
    created_at: str
    """when the author made it, by their clock; datetime"""


@dataclass(frozen=True, slots=True, kw_only=True)
class List(LexRecord):
    """Tracks in an order: an album, a playlist, or what somebody liked."""

    collection: ClassVar[str] = "list"

    items: list[ListItem]
    """at most 500 entries"""
    created_at: str
    """when the author made it, by their clock; datetime"""
    name: str | None = None
    """at most 64 characters"""
    list_type: str | None = None
    """at most 64 bytes; known: album, playlist, liked"""
    description: str | None = None
    """at most 5000 characters"""
    image_url: str | None = None
    """the cover; uri"""
    updated_at: str | None = None
    """datetime"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(LexRecord):
    """A piece of audio by the owner of the repo; it has `audioUrl`, `audioBlob`, or both."""

    collection: ClassVar[str] = "track"

    title: str
    """at most 256 characters"""
    artist: str
    """the artist's name when it was published; at most 256 characters"""
    file_type: str
    """the container as a file extension without the dot, e.g. flac; at most 16 bytes"""
    created_at: str
    """when the author made it, by their clock; datetime"""
    audio_url: str | None = None
    """where the audio can be played from; uri"""
    audio_blob: Blob | None = None
    """the audio itself, kept by the author's server; at most 104857600 bytes of audio/*"""
    album: str | None = None
    """at most 256 characters"""
    duration: int | None = None
    """length in whole seconds"""
    features: list[TrackFeaturedArtist] | None = None
    """who else plays on it; at most 10 entries"""
    image_url: str | None = None
    """the cover; uri"""
    description: str | None = None
    """at most 5000 characters"""
    tags: list[str] | None = None
    """at most 10 entries"""
    labels: SelfLabels | None = None
    """what the author says of the content, e.g. that it is explicit"""
