"""Uploads as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from plyr.jobs.views import JobView
from plyr.kit.ids import Did, FileId, ImageId, TrackId, UploadId
from plyr.media.service import AudioFacts

RECEIVING_SHARE_PCT = 50.0


@dataclass(frozen=True, slots=True)
class TrackForm:
    """The words of a track as its artist gave them, checked and cleaned; no title: the file's own is taken."""

    title: str | None = None
    album: str | None = None
    description: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload as its row stands."""

    id: UploadId
    owner_did: Did
    filename: str
    size_bytes: int | None
    offset_bytes: int
    submitted_at: datetime | None
    form: TrackForm
    image_id: ImageId | None
    file_id: FileId
    sha256: str | None
    assembled_at: datetime | None
    facts: AudioFacts | None
    track_id: TrackId | None
    released_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "UploadRow":
        """Return a row of the table as a value."""
        facts = None
        if row["file_type"] is not None:
            facts = AudioFacts(
                file_type=row["file_type"], content_type=row["content_type"], codec=row["codec"],
                duration_ms=row["duration_ms"], sample_rate=row["sample_rate"], channels=row["channels"],
                title=row["file_title"], artist=row["file_artist"], album=row["file_album"],
            )  # fmt: skip
        form = TrackForm(row["title"], row["album"], row["description"], list(row["tags"]))
        names = ("id", "owner_did", "filename", "size_bytes", "offset_bytes", "submitted_at", "image_id", "file_id",
                 "sha256", "assembled_at", "track_id", "released_at", "created_at")  # fmt: skip
        return cls(form=form, facts=facts, **{name: row[name] for name in names})

    @property
    def is_complete(self) -> bool:
        """All its bytes are here."""
        return self.size_bytes is not None and self.offset_bytes == self.size_bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """A durable piece of an upload."""

    number: int
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one request to append to an upload, as long as its token stands in the row."""

    upload_id: UploadId
    owner: Did
    token: UUID
    offset_bytes: int
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class UploadView:
    """An upload as its owner sees it: the file on its way, and how far its job is."""

    upload: UploadRow
    job: JobView

    @property
    def status(self) -> str:
        """pending, processing, completed or failed; waiting for somebody is still processing."""
        return "processing" if self.job.status == "waiting" else self.job.status

    @property
    def can_retry(self) -> bool:
        """It failed, and all its bytes were kept."""
        return self.job.status == "failed" and self.upload.released_at is None and self.upload.is_complete
