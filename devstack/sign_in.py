"""sign in to the product over HTTP, the whole way a browser goes, in under a second."""

from dataclasses import dataclass

import httpx

from devstack.approve import approve
from devstack.network import PASSWORD


class SignInFailed(Exception):
    """the product did not let us in; the message holds the step and its answer."""


@dataclass(frozen=True)
class SignedIn:
    """who is signed in, and the key to it."""

    did: str
    handle: str
    needs_profile: bool
    session_id: str
    return_to: str | None = None

    @property
    def authorization(self) -> dict[str, str]:
        """the header that makes a request theirs."""
        return {"authorization": f"Bearer {self.session_id}"}


async def sign_in(
    api: httpx.AsyncClient, handle: str, password: str = PASSWORD, *, return_to: str | None = None
) -> SignedIn:
    """sign in as `handle`; `api` speaks to the api itself (its base_url may end in /api of the web server).

    the client's cookies hold the login attempt, and the session afterwards
    errors: SignInFailed, approve.NotApproved
    """
    query = {"handle": handle} | ({"return_to": return_to} if return_to else {})
    started = await api.get("/auth/start", params=query, follow_redirects=False)
    authorize_url = _redirect(started, "/auth/start")
    if "/oauth/authorize" not in authorize_url:
        raise SignInFailed(f"/auth/start sent us to {authorize_url}")
    callback = await finish_url(api, await approve(authorize_url, handle, password))
    token = httpx.URL(callback).params.get("exchange_token")
    if token is None:
        raise SignInFailed(f"/auth/callback sent us to {callback}")
    exchanged = await api.post("/auth/exchange", json={"exchange_token": token})
    if exchanged.status_code != 200:
        raise SignInFailed(f"/auth/exchange: {exchanged.status_code} {exchanged.text[:300]}")
    who = exchanged.json()
    session_id: str = who["session_id"] or exchanged.cookies["session_id"]
    return SignedIn(who["did"], who["handle"], who["needs_profile"], session_id, who.get("return_to"))


async def finish_url(api: httpx.AsyncClient, callback_url: str) -> str:
    """give the api what the PDS sent the browser to the callback with; return where the api sends the browser next."""
    query = httpx.URL(callback_url).params
    return _redirect(await api.get("/auth/callback", params=query, follow_redirects=False), "/auth/callback")


def _redirect(answer: httpx.Response, step: str) -> str:
    if answer.status_code not in (302, 303) or "location" not in answer.headers:
        raise SignInFailed(f"{step}: {answer.status_code} {answer.text[:300]}")
    return answer.headers["location"]
