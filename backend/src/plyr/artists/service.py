"""Who somebody is, and their artist profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from plyr.artists import repo
from plyr.artists.errors import ArtistNotFound, ProfileExists
from plyr.artists.records import PROFILE_KEY, profile_record
from plyr.artists.views import ArtistView
from plyr.atproto.lexicon.generated import ActorProfile
from plyr.db import Session
from plyr.errors import InvalidInput
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did, Handle
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
    values = {**_checked(form), "profile_at": utc_now()}
    if not await repo.change(session, did, values, having_profile=False):
        raise ProfileExists("your profile is there already; change it in your portal")
    return await _write_profile(session, did, namespace)


async def change_profile(session: Session, did: Did, form: ProfileForm, namespace: str) -> ArtistView:
    """Change an artist's profile, here and in their repo.

    errors: InvalidInput (422) names the field; ArtistNotFound (404) without a profile
    """
    if not await repo.change(session, did, _checked(form), having_profile=True):
        raise ArtistNotFound("you have no artist profile yet; set it up first")
    return await _write_profile(session, did, namespace)


async def settle_profile(session: Session, did: Did, record: Mapping[str, Any]) -> None:
    """Follow a profile record that is on the PDS, for those who set up a profile here."""
    avatar = record.get("avatar")
    words = {"bio": record.get("bio"), "avatar_url": avatar if _is_https(avatar) else None}
    await repo.change(session, did, words, having_profile=True)


async def _write_profile(session: Session, did: Did, namespace: str) -> ArtistView:
    artist = await require(session, did)
    record = profile_record(artist, namespace, utc_now())
    await outbox.put_record(session, did, ActorProfile.nsid(namespace), PROFILE_KEY, record)
    return artist


def _checked(form: ProfileForm) -> dict[str, object]:
    name = clean_line(form.display_name)
    require_length("display_name", name, least=1, graphemes=NAME_GRAPHEMES)
    bio = clean_text(form.bio or "") or None
    require_length("bio", bio or "", graphemes=BIO_GRAPHEMES, size_bytes=BIO_BYTES)
    return {
        "display_name": name,
        "bio": bio,
        "avatar_url": _https("avatar_url", form.avatar_url),
        "support_url": _https("support_url", form.support_url),
        "show_liked_on_profile": form.show_liked_on_profile,
    }


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
