"""Who somebody is, and their artist profile."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from plyr.artists import repo
from plyr.artists.errors import ArtistNotFound, ProfileExists
from plyr.artists.records import PROFILE_KEY, profile_record
from plyr.artists.views import ArtistView
from plyr.atproto.lexicon.generated import ActorProfile
from plyr.db import Session
from plyr.errors import InvalidInput
from plyr.jobs import service as jobs
from plyr.jobs.kinds import JobKind
from plyr.kit.at_uri import split_at_uri
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did, Handle
from plyr.kit.record_events import Changes, RecordEvent
from plyr.kit.text import clean_line, clean_text, require_length
from plyr.outbox import service as outbox

NAME_GRAPHEMES = 64
BIO_GRAPHEMES = 256
BIO_BYTES = 2560
URL_MAX = 2000


@dataclass(frozen=True, slots=True)
class ProfileForm:
    """What an artist says of themselves."""

    display_name: str
    bio: str | None = None
    avatar_url: str | None = None
    support_url: str | None = None
    show_liked_on_profile: bool = False


async def get(session: Session, did: Did) -> ArtistView | None:
    """Return an account, None if we never met it."""
    return await repo.find(session, did)


async def require(session: Session, did: Did) -> ArtistView:
    """Return an account. errors: ArtistNotFound (404)."""
    artist = await repo.find(session, did)
    if artist is None:
        raise ArtistNotFound("there is nobody here by that id")
    return artist


async def require_by_handle(session: Session, handle: str) -> ArtistView:
    """Return an account by its present handle, whatever the case. errors: ArtistNotFound (404)."""
    artist = await repo.find_by_handle(session, Handle(handle.lower().removeprefix("@")))
    if artist is None:
        raise ArtistNotFound(f"there is nobody here called {handle[:100]}")
    return artist


async def remember_identity(session: Session, did: Did, handle: Handle | None, pds_url: str) -> None:
    """Write down who an account is now, as just proven."""
    await repo.upsert_identity(session, did, handle, pds_url)


async def set_up_profile(session: Session, did: Did, form: ProfileForm, namespace: str) -> ArtistView:
    """Make an account an artist and write the profile to their repo.

    errors: InvalidInput (422) names the field; ProfileExists (409)
    """
    own, said = _checked(form)
    if not await repo.change(session, did, {**own, "profile_at": utc_now()}, having_profile=False):
        raise ProfileExists("your profile is there already; change it in your portal")
    return await _write_profile(session, did, said, namespace)


async def change_profile(session: Session, did: Did, form: ProfileForm, namespace: str) -> ArtistView:
    """Change an artist's profile, here and in their repo.

    errors: InvalidInput (422) names the field; ArtistNotFound (404) without a profile
    """
    own, said = _checked(form)
    if not await repo.change(session, did, own, having_profile=True):
        raise ArtistNotFound("you have no artist profile yet; set it up first")
    return await _write_profile(session, did, said, namespace)


async def fold_profiles(session: Session, changes: Changes) -> None:
    """Follow profile records. cost: 2 statements for any number."""
    if changes.puts:
        await repo.upsert_profiles(session, [_profile_row(event) for event in changes.puts])
    if changes.gone:
        await repo.remove_profiles(session, {split_at_uri(uri)[0] for uri in changes.gone})


async def ensure(session: Session, dids: Collection[Did]) -> None:
    """Make accounts known that we have not met, and have somebody find out who they are."""
    for did in await repo.ensure(session, dids):
        await request_identity(session, did)


async def request_identity(session: Session, did: Did) -> None:
    """Have somebody find out who an account is now. Again before that is done: nothing."""
    await jobs.create_once(session, JobKind.RESOLVE_IDENTITY, did, did, {"did": did}, phase="asking")


async def hide(session: Session, did: Did, because: str, said_by: str) -> None:
    """Keep everything of an account and show nothing of it; `said_by` is who said why. cost: 1 statement."""
    await repo.change(session, did, {"hidden_because": because, "hidden_said_by": said_by}, having_profile=None)


async def show(session: Session, did: Did) -> None:
    """Show an account again."""
    await repo.change(session, did, {"hidden_because": None, "hidden_said_by": None}, having_profile=None)


async def retire(session: Session, did: Did, said_by: str) -> None:
    """Hide an account that is no more and free its handle."""
    gone = {"handle": None, "hidden_because": "deleted", "hidden_said_by": said_by}
    await repo.change(session, did, gone, having_profile=None)


async def _write_profile(session: Session, did: Did, said: Mapping[str, object], namespace: str) -> ArtistView:
    await repo.upsert_profiles(session, [{"did": did, "cid": None, **said}])
    artist = await require(session, did)
    record = profile_record(artist, namespace, utc_now())
    fields = ActorProfile.field_names()
    await outbox.put_record(session, did, ActorProfile.nsid(namespace), PROFILE_KEY, record, merge=fields)
    return artist


def _profile_row(event: RecordEvent) -> dict[str, object]:
    record = event.record or {}
    avatar = record.get("avatar")
    return {
        "did": event.did,
        "cid": event.cid,
        "bio": record.get("bio"),
        "avatar_url": avatar if _is_https(avatar) else None,
    }


def _checked(form: ProfileForm) -> tuple[dict[str, object], dict[str, object]]:
    """Return what only we keep, and what goes into the record."""
    name = clean_line(form.display_name)
    require_length("display_name", name, least=1, graphemes=NAME_GRAPHEMES)
    bio = clean_text(form.bio or "") or None
    require_length("bio", bio or "", graphemes=BIO_GRAPHEMES, size_bytes=BIO_BYTES)
    own: dict[str, object] = {
        "display_name": name,
        "support_url": _https("support_url", form.support_url),
        "show_liked_on_profile": form.show_liked_on_profile,
    }
    return own, {"bio": bio, "avatar_url": _https("avatar_url", form.avatar_url)}


def _https(field: str, url: str | None) -> str | None:
    address = (url or "").strip()
    if address and not _is_https(address):
        raise InvalidInput(f"{field} must be a full https:// address", field=field)
    return address or None


def _is_https(url: object) -> bool:
    try:
        parts = urlsplit(url) if isinstance(url, str) and len(url) <= URL_MAX else None
    except ValueError:
        return False
    return parts is not None and parts.scheme == "https" and bool(parts.hostname)
