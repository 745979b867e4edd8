"""Routes about the service itself."""

from fastapi import APIRouter

from plyr.api.problems import problem_answers
from plyr.api.resources import ResourcesOf
from plyr.api.schemas import Config, Health
from plyr.db.faults import is_unavailable
from plyr.errors import PlyrError, Unavailable

router = APIRouter(tags=["meta"])

AUDIO_FORMATS = ["mp3", "m4a", "wav", "flac", "ogg", "opus", "aiff"]


@router.get("/health")
async def health() -> Health:
    """Say that the process lives; touches nothing."""
    return Health(status="ok")


@router.get("/ready", responses=problem_answers(503))
async def ready(resources: ResourcesOf) -> Health:
    """Say whether database and storage answer."""
    try:
        await resources.db.ping()
        await resources.storage.check_ready()
    except Exception as error:
        if isinstance(error, PlyrError | OSError) or is_unavailable(error):
            raise Unavailable(f"not ready: {type(error).__name__}") from error
        raise
    return Health(status="ready")


@router.get("/config")
async def config(resources: ResourcesOf) -> Config:
    """Return the limits a client should know."""
    return Config(
        max_upload_size_mb=resources.settings.upload_max_mb,
        max_image_size_mb=resources.settings.image_max_mb,
        default_hidden_tags=[],
        audio_formats=AUDIO_FORMATS,
    )
