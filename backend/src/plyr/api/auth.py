"""Routes of sign-in.

a sign-in that fails lands on the login page with a code it can explain; no address ever holds a secret, except the
one-time exchange token, which is worthless in any other browser and after a minute.
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field

from plyr.api.caller import SESSION_COOKIE, CurrentCaller, is_browser, require_own_pages, safe_return_to
from plyr.api.problems import problem_answers
from plyr.api.resources import ResourcesOf
from plyr.artists import service as artists
from plyr.auth import service
from plyr.auth.errors import SignInFailed
from plyr.config import Settings

_LOGIN_COOKIE = "plyr_login"
_LOGIN_COOKIE_S = 3600
_SESSION_COOKIE_S = 90 * 86400
_PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}

router = APIRouter(tags=["auth"])


class ExchangeBody(BaseModel):
    """The one-time token a finished sign-in left in the address."""

    exchange_token: str = Field(min_length=1, max_length=200)


class Exchanged(BaseModel):
    """A session that has begun. Browsers get it as a cookie, and `session_id` is null."""

    did: str
    handle: str
    needs_profile: bool
    return_to: str
    session_id: str | None


class Capabilities(BaseModel):
    """What an account may do beyond the ordinary."""

    scrobble: bool = False


class LinkedAccount(BaseModel):
    """Another account signed in beside this one."""

    did: str
    handle: str


class Me(BaseModel):
    """Who is signed in."""

    did: str
    handle: str
    display_name: str | None
    avatar_url: str | None
    has_profile: bool
    linked_accounts: list[LinkedAccount] = []
    capabilities: Capabilities = Capabilities()


class ClientMetadata(BaseModel):
    """Our OAuth client, as authorization servers read it."""

    client_id: str
    client_name: str
    client_uri: str
    redirect_uris: list[str]
    grant_types: list[str]
    response_types: list[str]
    scope: str
    dpop_bound_access_tokens: bool
    application_type: str
    token_endpoint_auth_method: str
    token_endpoint_auth_signing_alg: str | None = None
    jwks_uri: str | None = None


class Jwk(BaseModel):
    """A public EC key."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    use: str
    alg: str


class Jwks(BaseModel):
    """The public keys we authenticate with, retired ones included while grants made with them live."""

    keys: list[Jwk]


@router.get("/auth/start", status_code=303, response_class=RedirectResponse)
async def start_sign_in(
    request: Request, resources: ResourcesOf, handle: str = "", return_to: str | None = None
) -> RedirectResponse:
    """Send the browser to its provider. `handle` may be a handle, a DID, or the URL of a server."""
    browser = request.cookies.get(_login_cookie(resources.settings))
    path = safe_return_to(return_to)
    try:
        started = await service.start(resources, handle, path, browser)
    except SignInFailed as failure:
        return _to_login(resources.settings, failure)
    answer = _redirect(started.authorize_url)
    _set_cookie(answer, resources.settings, _login_cookie(resources.settings), started.browser, _LOGIN_COOKIE_S)
    return answer


@router.get("/auth/callback", status_code=303, response_class=RedirectResponse)
async def sign_in_callback(
    request: Request,
    resources: ResourcesOf,
    state: str | None = None,
    iss: str | None = None,
    code: str | None = None,
    error: str | None = None,
) -> RedirectResponse:
    """Take the browser back from its provider, on to the page that finishes the sign-in."""
    answer = service.CallbackAnswer(state, iss, code, error)
    try:
        token = await service.finish(resources, answer, request.cookies.get(_login_cookie(resources.settings)))
    except SignInFailed as failure:
        return _to_login(resources.settings, failure)
    query = urlencode({"exchange_token": token})
    return _redirect(f"{resources.settings.web_origin}/auth/finish?{query}")


@router.post("/auth/exchange", responses=problem_answers(400, 403, 422))
async def exchange_token(body: ExchangeBody, request: Request, response: Response, resources: ResourcesOf) -> Exchanged:
    """Turn the one-time token into a session, in the browser that began the sign-in."""
    browser = is_browser(request)
    if browser:
        require_own_pages(request, resources.settings.web_origin)
    begun = await service.exchange(
        resources, body.exchange_token, request.cookies.get(_login_cookie(resources.settings))
    )
    response.headers.update(_PRIVATE)
    _set_cookie(response, resources.settings, SESSION_COOKIE, begun.session_id, _SESSION_COOKIE_S)
    return Exchanged(
        did=begun.did,
        handle=begun.handle or begun.did,
        needs_profile=not begun.has_profile,
        return_to=begun.return_to,
        session_id=None if browser else begun.session_id,
    )


@router.post("/auth/logout", status_code=204, responses=problem_answers(401, 403))
async def sign_out(caller: CurrentCaller, response: Response, resources: ResourcesOf) -> None:
    """End this session at once; its permission is given back to the provider in the background."""
    await service.end_session(resources.db, caller)
    response.headers.update(_PRIVATE)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")


@router.get("/auth/me", responses=problem_answers(401))
async def me(caller: CurrentCaller, response: Response, resources: ResourcesOf) -> Me:
    """Return who is signed in."""
    response.headers.update(_PRIVATE)
    async with resources.db.begin() as session:
        artist = await artists.get(session, caller.did)
    return Me(
        did=caller.did,
        handle=caller.handle or caller.did,
        display_name=artist.display_name if artist else None,
        avatar_url=artist.avatar_url if artist else None,
        has_profile=caller.has_profile,
    )


@router.get("/oauth-client-metadata.json", response_model=ClientMetadata, response_model_exclude_none=True)
async def client_metadata(resources: ResourcesOf) -> JSONResponse:
    """Return our OAuth client metadata; its address is our client id."""
    return _public(resources.oauth.app.metadata())


@router.get("/.well-known/jwks.json", response_model=Jwks)
async def jwks(resources: ResourcesOf) -> JSONResponse:
    """Return our public keys; empty in development, where the client has none."""
    return _public(resources.oauth.app.jwks())


def _public(document: object) -> JSONResponse:
    return JSONResponse(document, headers={"cache-control": "public, max-age=300"})


def _redirect(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=303, headers=_PRIVATE)


def _to_login(settings: Settings, failure: SignInFailed) -> RedirectResponse:
    query = urlencode({"error": failure.code, "handle": failure.asked, "return_to": failure.return_to})
    return _redirect(f"{settings.web_origin}/login?{query}")


def _login_cookie(settings: Settings) -> str:
    # with this prefix a browser takes the cookie from no other host, so that nobody can plant one of their own
    return f"__Host-{_LOGIN_COOKIE}" if settings.web_origin.startswith("https://") else _LOGIN_COOKIE


def _set_cookie(response: Response, settings: Settings, name: str, value: str, max_age_s: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=settings.web_origin.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
