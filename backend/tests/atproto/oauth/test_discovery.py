"""authorization servers are only worked with when they do all the profile asks."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plyr.atproto.errors import AtprotoError, HostUnreachable, UrlRefused
from plyr.atproto.guarded import GuardedClient
from plyr.atproto.oauth.discovery import Discovery
from plyr.atproto.oauth.errors import ProviderUnsuitable
from tests.atproto.servers import WebServer, public_web

PDS_HOST, ISSUER_HOST = "pds.example.com", "auth.example.com"
PDS, ISSUER = f"https://{PDS_HOST}", f"https://{ISSUER_HOST}"
RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "pushed_authorization_request_endpoint": f"{ISSUER}/par",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "response_types_supported": ["code"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "code_challenge_methods_supported": ["S256"],
    "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
    "dpop_signing_alg_values_supported": ["ES256"],
    "scopes_supported": ["atproto"],
    "authorization_response_iss_parameter_supported": True,
    "require_pushed_authorization_requests": True,
    "client_id_metadata_document_supported": True,
}


@pytest.fixture
async def internet(tmp_path: Path) -> AsyncIterator[tuple[WebServer, GuardedClient]]:
    async with public_web(tmp_path, PDS_HOST, ISSUER_HOST) as (web, http, _):
        web.page(PDS_HOST, RESOURCE, json.dumps({"resource": PDS, "authorization_servers": [ISSUER]}))
        web.page(ISSUER_HOST, SERVER, json.dumps(METADATA))
        yield web, http


async def test_discovery_goes_from_pds_to_issuer_to_endpoints(internet: tuple[WebServer, GuardedClient]) -> None:
    web, http = internet
    discovery = Discovery(http)
    assert await discovery.issuer_of(PDS) == ISSUER
    server = await discovery.server(ISSUER)
    assert (server.issuer, server.token_url, server.par_url) == (ISSUER, f"{ISSUER}/token", f"{ISSUER}/par")
    asked = len(web.asked)
    assert await discovery.server(await discovery.issuer_of(PDS)) == server
    assert len(web.asked) == asked
    assert await discovery.issuer_of(PDS, fresh=True) == ISSUER
    assert len(web.asked) == asked + 1


async def test_discovery_from_an_authorization_server_itself(internet: tuple[WebServer, GuardedClient]) -> None:
    _, http = internet
    for url in (PDS, f"{PDS}/", ISSUER, f"{ISSUER}/some/path?x=1"):
        assert (await Discovery(http).server_at(url)).issuer == ISSUER


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example.com"},
        {"issuer": f"{ISSUER}/"},
        {"pushed_authorization_request_endpoint": None},
        {"require_pushed_authorization_requests": False},
        {"require_pushed_authorization_requests": "true"},
        {"authorization_response_iss_parameter_supported": None},
        {"client_id_metadata_document_supported": None},
        {"dpop_signing_alg_values_supported": ["RS256"]},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
        {"scopes_supported": ["openid"]},
        {"scopes_supported": {"atproto": 1}},
        {"grant_types_supported": ["authorization_code"]},
        {"token_endpoint_auth_methods_supported": ["none"]},
        {"token_endpoint_auth_signing_alg_values_supported": ["ES256", "none"]},
        {"token_endpoint": "http://auth.example.com/token"},
        {"token_endpoint": "https://127.0.0.1:9/token"},
        {"token_endpoint": 7},
        {"authorization_endpoint": f"{ISSUER}/authorize#x"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_server_that_lacks_something_is_refused(
    internet: tuple[WebServer, GuardedClient], changes: dict[str, Any]
) -> None:
    web, http = internet
    web.page(ISSUER_HOST, SERVER, json.dumps({name: value for name, value in (METADATA | changes).items() if value}))
    with pytest.raises((ProviderUnsuitable, UrlRefused)):
        await Discovery(http).server(ISSUER)


@pytest.mark.parametrize(
    "resource",
    [
        {"resource": "https://other.example.com", "authorization_servers": [ISSUER]},
        {"resource": PDS, "authorization_servers": []},
        {"resource": PDS, "authorization_servers": [ISSUER, ISSUER]},
        {"resource": PDS, "authorization_servers": [f"{ISSUER}/path"]},
        {"resource": PDS, "authorization_servers": ["http://auth.example.com"]},
        {"resource": PDS, "authorization_servers": ["https://10.0.0.1:8080"]},
        {"resource": PDS, "authorization_servers": ["https://[::1"]},
        {"resource": PDS, "authorization_servers": [7]},
        {"resource": PDS},
        {},
    ],
)
async def test_pds_that_names_no_usable_issuer_is_refused(
    internet: tuple[WebServer, GuardedClient], resource: dict[str, Any]
) -> None:
    web, http = internet
    web.page(PDS_HOST, RESOURCE, json.dumps(resource))
    with pytest.raises((ProviderUnsuitable, UrlRefused)):
        await Discovery(http).issuer_of(PDS)


async def test_discovery_takes_no_redirect_and_no_other_content_type(
    internet: tuple[WebServer, GuardedClient],
) -> None:
    web, http = internet
    web.page(ISSUER_HOST, SERVER, json.dumps(METADATA), **{"content-type": "text/html"})  # type: ignore[arg-type]
    with pytest.raises(ProviderUnsuitable):
        await Discovery(http).server(ISSUER)
    web.page(ISSUER_HOST, SERVER, "", status=302, location=f"{PDS}{SERVER}")
    with pytest.raises(ProviderUnsuitable):
        await Discovery(http).server(ISSUER)


async def test_discovery_of_a_server_that_is_down_is_no_verdict(internet: tuple[WebServer, GuardedClient]) -> None:
    web, http = internet
    for status in (429, 500, 503):
        web.page(ISSUER_HOST, SERVER, "", status=status)
        with pytest.raises(HostUnreachable):
            await Discovery(http).server(ISSUER)


@pytest.mark.parametrize("body", ["", "null", "[]", "nonsense"])
async def test_discovery_of_nonsense_is_an_error_with_a_name(
    internet: tuple[WebServer, GuardedClient], body: str
) -> None:
    web, http = internet
    web.page(ISSUER_HOST, SERVER, body)
    with pytest.raises(AtprotoError):
        await Discovery(http).server(ISSUER)
