"""The shapes of uploads, for the OpenAPI document and the clients generated from it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from plyr.jobs.views import JobView
from plyr.tracks.records import image_url
from plyr.uploads.views import UploadView

Status = Literal["pending", "processing", "completed", "failed"]
_PREVIEW_SIZE = 320


class UploadAccepted(BaseModel):
    """An upload and where its job stands."""

    upload_id: str
    status: Status

    @classmethod
    def of(cls, view: UploadView) -> "UploadAccepted":
        """Present an upload that is on its way."""
        return cls(upload_id=str(view.upload.id), status="pending" if view.status == "pending" else "processing")


class UploadProgress(BaseModel):
    """How far an upload is; `server_progress_pct` counts from 0 to 100 over all phases."""

    status: Status
    phase: str
    server_progress_pct: float
    message: str
    error: str | None
    error_code: str | None
    track_id: int | None

    @classmethod
    def of(cls, job: JobView) -> "UploadProgress":
        """Present a job."""
        return cls(**_progress(job))


class Upload(UploadProgress):
    """An upload as its owner sees it: the file, the form so far, and how far it is."""

    upload_id: str
    filename: str
    size_bytes: int | None
    offset_bytes: int
    title: str | None
    album: str | None
    description: str | None
    tags: list[str]
    image_url: str | None
    is_submitted: bool
    can_retry: bool
    created_at: datetime

    @classmethod
    def seen(cls, view: UploadView, media_url: str) -> "Upload":
        """Present an upload."""
        upload = view.upload
        return cls(
            **_progress(view.job),
            upload_id=str(upload.id),
            filename=upload.filename,
            size_bytes=upload.size_bytes,
            offset_bytes=upload.offset_bytes,
            title=upload.form.title,
            album=upload.form.album,
            description=upload.form.description,
            tags=upload.form.tags,
            image_url=image_url(media_url, upload.image_id, _PREVIEW_SIZE) if upload.image_id else None,
            is_submitted=upload.submitted_at is not None,
            can_retry=view.can_retry,
            created_at=upload.created_at,
        )


class UploadList(BaseModel):
    """An owner's uploads, newest first."""

    uploads: list[Upload]


class PublishBody(BaseModel):
    """The words of a track; without a title the file's own is taken."""

    title: str | None = Field(None, description="1 to 256 characters")
    album: str | None = Field(None, description="at most 256 characters")
    tags: list[str] = Field(default_factory=list, description="at most 10, each at most 64 characters")
    description: str | None = Field(None, description="at most 5000 characters")


class CoverSet(BaseModel):
    """Where a cover can be seen."""

    image_url: str


def _progress(job: JobView) -> dict[str, object]:
    return {
        "status": "processing" if job.status == "waiting" else job.status,
        "phase": job.phase,
        "server_progress_pct": job.progress_pct,
        "message": job.message,
        "error": job.error_detail,
        "error_code": job.error_code,
        "track_id": job.result.get("track_id"),
    }
