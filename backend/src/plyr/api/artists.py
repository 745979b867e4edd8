"""Routes of artists and their profiles."""

from fastapi import APIRouter
from pydantic import BaseModel

from plyr.api.caller import CurrentCaller
from plyr.api.problems import problem_answers
from plyr.api.resources import ResourcesOf
from plyr.api.schemas import Artist
from plyr.artists import service
from plyr.artists.service import ProfileForm
from plyr.kit.ids import Did

router = APIRouter(prefix="/artists", tags=["artists"])


class ProfileBody(BaseModel):
    """What an artist says of themselves; addresses must be https."""

    display_name: str
    bio: str | None = None
    avatar_url: str | None = None
    support_url: str | None = None
    show_liked_on_profile: bool = False

    def form(self) -> ProfileForm:
        """Return the body as the service takes it."""
        return ProfileForm(**self.model_dump())


@router.post("/", status_code=201, responses=problem_answers(401, 403, 409, 422))
async def set_up_profile(body: ProfileBody, caller: CurrentCaller, resources: ResourcesOf) -> Artist:
    """Make the caller's account an artist."""
    namespace = resources.settings.atproto_namespace
    async with resources.db.begin() as session:
        return Artist.of(await service.set_up_profile(session, caller.did, body.form(), namespace))


@router.get("/me", responses=problem_answers(401, 404))
async def my_profile(caller: CurrentCaller, resources: ResourcesOf) -> Artist:
    """Return the caller's own account."""
    async with resources.db.begin() as session:
        return Artist.of(await service.require(session, caller.did))


@router.put("/me", responses=problem_answers(401, 403, 404, 422))
async def change_profile(body: ProfileBody, caller: CurrentCaller, resources: ResourcesOf) -> Artist:
    """Change the caller's profile, here and in their repo."""
    namespace = resources.settings.atproto_namespace
    async with resources.db.begin() as session:
        return Artist.of(await service.change_profile(session, caller.did, body.form(), namespace))


@router.get("/by-handle/{handle}", responses=problem_answers(404))
async def artist_by_handle(handle: str, resources: ResourcesOf) -> Artist:
    """Return an artist by present handle."""
    async with resources.db.begin() as session:
        return Artist.of(await service.require_by_handle(session, handle))


@router.get("/{did}", responses=problem_answers(404))
async def artist_by_did(did: str, resources: ResourcesOf) -> Artist:
    """Return an artist by DID."""
    async with resources.db.begin() as session:
        return Artist.of(await service.require(session, Did(did)))
