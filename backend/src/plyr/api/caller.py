"""Who sends a request, as dependencies of routes."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from plyr.api.resources import ResourcesOf
from plyr.artists.errors import ArtistProfileRequired
from plyr.auth import service
from plyr.auth.errors import CrossSite, NotSignedIn
from plyr.auth.views import Caller

SESSION_COOKIE = "session_id"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def require_own_pages(request: Request, web_origin: str) -> None:
    """Refuse a change that a browser sends with its cookies from anywhere but our own pages.

    errors: CrossSite (403); a browser always tells where a change comes from, so silence is refused too
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if (site is None and origin is None) or site not in (None, "same-origin") or origin not in (None, web_origin):
        raise CrossSite


def is_browser(request: Request) -> bool:
    """Tell whether a request comes from a page, which must never see a session id."""
    return any(name in request.headers for name in ("origin", "sec-fetch-site", "sec-fetch-mode", "x-client"))


async def _optional(request: Request, resources: ResourcesOf) -> Caller | None:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await service.resolve_session(resources.db, bearer.strip())
    session_id = request.cookies.get(SESSION_COOKIE)
    if session_id is None:
        return None
    if request.method not in _READING:
        require_own_pages(request, resources.settings.web_origin)
    return await service.resolve_session(resources.db, session_id)


OptionalCaller = Annotated[Caller | None, Depends(_optional)]
"""who sends a request, None for a stranger"""


async def _required(caller: OptionalCaller) -> Caller:
    if caller is None:
        raise NotSignedIn
    return caller


CurrentCaller = Annotated[Caller, Depends(_required)]
"""who sends a request; 401 `not_signed_in` for a stranger"""


async def _artist(caller: CurrentCaller) -> Caller:
    if not caller.has_profile:
        raise ArtistProfileRequired
    return caller


CurrentArtist = Annotated[Caller, Depends(_artist)]
"""an artist who sends a request; 403 `artist_profile_required` without a profile"""


def safe_return_to(path: str | None) -> str:
    """Return a path on our own site, `/` for anything else: other hosts, schemes, control characters."""
    if not path or len(path) > 2000 or not path.startswith("/") or path.startswith(("//", "/\\")):
        return "/"
    if any(not character.isprintable() for character in path) or "\\" in path:
        return "/"
    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path
