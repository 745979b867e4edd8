"""The OAuth client: pushed authorization requests, code exchange, refresh, revocation."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from plyr.atproto.errors import AnswerUnusable, HostUnreachable
from plyr.atproto.guarded import Answer, GuardedClient
from plyr.atproto.identity.resolver import IdentityResolver
from plyr.atproto.identity.syntax import require_did
from plyr.atproto.oauth.app import ClientApp
from plyr.atproto.oauth.discovery import AuthServer, Discovery
from plyr.atproto.oauth.dpop import DpopSender, Outgoing
from plyr.atproto.oauth.errors import ClientRefused, GrantRefused, OAuthError, ProviderRefused
from plyr.atproto.oauth.keys import SigningKey, sha256_url
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did

_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
_DEADLINE_S = 8.0
_REFUSALS = {"invalid_grant": GrantRefused, "invalid_client": ClientRefused}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint gave out."""

    did: Did
    scope: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Authorization:
    """A sign-in that was pushed to its server: where the person goes, and what the callback needs."""

    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    dpop_key: SigningKey
    client_key_id: str | None
    """the key we authenticated with, and must go on with"""


class OAuthClient:
    """Speaks to authorization servers for one client app.

    errors: of every method: UrlRefused, HostUnreachable, AnswerUnusable of the network; OAuthError
    """

    def __init__(self, http: GuardedClient, identities: IdentityResolver, app: ClientApp) -> None:
        self.app = app
        self.identities = identities
        self.discovery = Discovery(http)
        self.sender = DpopSender(http)

    async def authorize(self, server: AuthServer, login_hint: str | None) -> Authorization:
        """Push an authorization request. errors: ProviderRefused."""
        state, verifier, dpop_key = secrets.token_urlsafe(32), secrets.token_urlsafe(48), SigningKey.generate()
        params = {
            "response_type": "code",
            "redirect_uri": self.app.redirect_uri,
            "scope": self.app.scope,
            "state": state,
            "code_challenge": sha256_url(verifier),
            "code_challenge_method": "S256",
        }
        if login_hint is not None:
            params["login_hint"] = login_hint
        request_uri, key_id = await self._push(server, dpop_key, params)
        query = urlencode({"client_id": self.app.client_id, "request_uri": request_uri})
        joint = "&" if urlsplit(server.authorize_url).query else "?"
        return Authorization(f"{server.authorize_url}{joint}{query}", state, verifier, dpop_key, key_id)

    async def _push(
        self, server: AuthServer, dpop_key: SigningKey, params: Mapping[str, str]
    ) -> tuple[str, str | None]:
        # servers remember our keys for minutes: a key that is new may be unknown to them, one behind it is not
        *newer, oldest = self.app.key_ids
        for key_id in newer:
            with contextlib.suppress(ClientRefused):
                return await self._push_with(server, dpop_key, key_id, params)
        return await self._push_with(server, dpop_key, oldest, params)

    async def _push_with(
        self, server: AuthServer, dpop_key: SigningKey, key_id: str | None, params: Mapping[str, str]
    ) -> tuple[str, str | None]:
        answer = await self._post(server, server.par_url, dpop_key, key_id, params)
        request_uri = _granted(answer, 201, 200).get("request_uri")
        if not isinstance(request_uri, str):
            raise OAuthError(f"{server.issuer} did not take the sign-in request")
        return request_uri, key_id

    async def exchange(
        self, server: AuthServer, code: str, verifier: str, dpop_key: SigningKey, key_id: str | None
    ) -> Tokens:
        """Turn a code into tokens. errors: GrantRefused for a used or foreign code; ProviderRefused."""
        params = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.app.redirect_uri,
            "code_verifier": verifier,
        }
        return _tokens(await self._post(server, server.token_url, dpop_key, key_id, params), None)

    async def refresh(self, server: AuthServer, refresh_token: str, dpop_key: SigningKey, key_id: str | None) -> Tokens:
        """Turn a refresh token into new tokens; the old ones are dead then.

        errors: GrantRefused when the provider no longer honours it; HostUnreachable says nothing about the grant
        """
        params = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return _tokens(await self._post(server, server.token_url, dpop_key, key_id, params), refresh_token)

    async def revoke(self, server: AuthServer, token: str, dpop_key: SigningKey, key_id: str | None) -> None:
        """Give a grant back. A token that is not good any more counts as given back."""
        if server.revoke_url is not None:
            answer = await self._post(server, server.revoke_url, dpop_key, key_id, {"token": token})
            if answer.status >= 500 or answer.status == 429:
                raise HostUnreachable(f"{server.issuer} answered {answer.status}")

    async def _post(
        self, server: AuthServer, url: str, dpop_key: SigningKey, key_id: str | None, params: Mapping[str, str]
    ) -> Answer:
        def build() -> Outgoing:
            form = {**params, **self.app.authentication(server.issuer, key_id)}
            return Outgoing(_FORM, urlencode(form).encode())

        return await self.sender.send(dpop_key, "POST", url, build, deadline_s=_DEADLINE_S, max_bytes=64 * 1024)


def _granted(answer: Answer, *statuses: int) -> dict[str, Any]:
    if answer.status in statuses:
        return answer.json_object()
    host = urlsplit(answer.url).netloc
    if answer.status >= 500 or answer.status == 429:
        raise HostUnreachable(f"{host} answered {answer.status}")
    try:
        error = str(answer.json_object().get("error", "unknown"))[:100]
    except AnswerUnusable:
        error = "unknown"
    raise _REFUSALS.get(error, ProviderRefused)(f"{host} refused: {error}", error=error)


def _tokens(answer: Answer, old_refresh_token: str | None) -> Tokens:
    given = _granted(answer, 200)
    access, refresh = given.get("access_token"), given.get("refresh_token", old_refresh_token)
    expires_in, scope = given.get("expires_in", 300), str(given.get("scope", ""))
    if str(given.get("token_type", "")).lower() != "dpop" or "atproto" not in scope.split():
        raise OAuthError("the provider gave out tokens of another kind than asked for")
    if not isinstance(access, str) or not isinstance(refresh, str) or not isinstance(expires_in, int):
        raise OAuthError("the provider's tokens are incomplete")
    expires_at = utc_now() + timedelta(seconds=max(0, min(expires_in, 86400)))
    return Tokens(require_did(str(given.get("sub", ""))), scope, access, refresh, expires_at)
