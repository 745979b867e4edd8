"""Which authorization server is responsible for a PDS, and whether it does all that the profile asks.

source: https://atproto.com/specs/oauth#authorization-servers
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from plyr.atproto.errors import HostUnreachable
from plyr.atproto.guarded import Answer, GuardedClient
from plyr.atproto.oauth.dpop import origin_of
from plyr.atproto.oauth.errors import ProviderUnsuitable

_TTL_S = 300.0
_ENTRIES = 1000
_REQUIRED_LISTS = {
    "response_types_supported": {"code"},
    "grant_types_supported": {"authorization_code", "refresh_token"},
    "code_challenge_methods_supported": {"S256"},
    "token_endpoint_auth_methods_supported": {"none", "private_key_jwt"},
    "token_endpoint_auth_signing_alg_values_supported": {"ES256"},
    "dpop_signing_alg_values_supported": {"ES256"},
    "scopes_supported": {"atproto"},
}
_REQUIRED_FLAGS = (
    "authorization_response_iss_parameter_supported",
    "require_pushed_authorization_requests",
    "client_id_metadata_document_supported",
)


@dataclass(frozen=True, slots=True)
class AuthServer:
    """An authorization server that was found fit."""

    issuer: str
    authorize_url: str
    token_url: str
    par_url: str
    revoke_url: str | None


class Discovery:
    """Finds authorization servers. cost: one or two bounded requests, none for five minutes after."""

    def __init__(self, http: GuardedClient) -> None:
        self._http = http
        self._issuers: dict[str, tuple[float, str]] = {}
        self._servers: dict[str, tuple[float, AuthServer]] = {}

    async def issuer_of(self, pds_url: str, *, fresh: bool = False) -> str:
        """Return the one issuer a PDS trusts. errors: ProviderUnsuitable, those of the guarded client."""
        until, issuer = self._issuers.get(pds_url, (0.0, ""))
        if fresh or until < time.monotonic():
            issuer = await self._ask_issuer(pds_url)
            _remember(self._issuers, pds_url, issuer)
        return issuer

    async def server_at(self, url: str) -> AuthServer:
        """Return the authorization server for a server a person named: a PDS, or an authorization server itself."""
        origin = origin_of(self._http.require_url(url))
        try:
            issuer = await self.issuer_of(origin)
        except ProviderUnsuitable:
            issuer = origin
        return await self.server(issuer)

    async def server(self, issuer: str) -> AuthServer:
        """Return an issuer's server after all checks. errors: ProviderUnsuitable, those of the guarded client."""
        until, server = self._servers.get(issuer, (0.0, None))
        if server is None or until < time.monotonic():
            url = f"{issuer}/.well-known/oauth-authorization-server"
            document = _document(await self._http.get(url))
            server = _checked_server(self._http, issuer, document)
            _remember(self._servers, issuer, server)
        return server

    async def _ask_issuer(self, pds_url: str) -> str:
        document = _document(await self._http.get(f"{pds_url}/.well-known/oauth-protected-resource"))
        issuers = document.get("authorization_servers")
        if str(document.get("resource", "")).rstrip("/") != pds_url:
            raise ProviderUnsuitable(f"{pds_url} describes another server than itself")
        if not isinstance(issuers, list) or len(issuers) != 1 or not isinstance(issuers[0], str):
            raise ProviderUnsuitable(f"{pds_url} does not name exactly one authorization server")
        issuer = self._http.require_url(issuers[0])
        if origin_of(issuer) != issuer:
            raise ProviderUnsuitable(f"{pds_url} names an authorization server that is not a plain origin")
        return issuer


def _document(answer: Answer) -> dict[str, Any]:
    host = urlsplit(answer.url).netloc
    if answer.status >= 500 or answer.status == 429:
        raise HostUnreachable(f"{host} answered {answer.status}")
    if answer.status != 200 or not answer.headers.get("content-type", "").startswith("application/json"):
        raise ProviderUnsuitable(f"{host} does not describe how to sign in there")
    return answer.json_object()


def _checked_server(http: GuardedClient, issuer: str, document: dict[str, Any]) -> AuthServer:
    if document.get("issuer") != issuer:
        raise ProviderUnsuitable(f"{issuer} calls itself by another name")
    lacking = [flag for flag in _REQUIRED_FLAGS if document.get(flag) is not True]
    for name, wanted in _REQUIRED_LISTS.items():
        offered = document.get(name)
        if not isinstance(offered, list) or not wanted <= {item for item in offered if isinstance(item, str)}:
            lacking.append(name)
    if "none" in (document.get("token_endpoint_auth_signing_alg_values_supported") or []):
        lacking.append("token_endpoint_auth_signing_alg_values_supported")
    if lacking:
        raise ProviderUnsuitable(f"{issuer} does not offer what atproto sign-in needs: {', '.join(lacking)}")
    return AuthServer(
        issuer,
        _endpoint(http, document, "authorization_endpoint"),
        _endpoint(http, document, "token_endpoint"),
        _endpoint(http, document, "pushed_authorization_request_endpoint"),
        _endpoint(http, document, "revocation_endpoint") if "revocation_endpoint" in document else None,
    )


def _endpoint(http: GuardedClient, document: dict[str, Any], name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or "#" in url:
        raise ProviderUnsuitable(f"{document['issuer']} gives no usable {name}")
    return http.require_url(url)


def _remember(memory: dict[str, Any], key: str, value: object) -> None:
    if len(memory) >= _ENTRIES:
        memory.pop(next(iter(memory)))
    memory[key] = (time.monotonic() + _TTL_S, value)
