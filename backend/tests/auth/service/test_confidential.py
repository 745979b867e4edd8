"""the client of production: its keys, their rotation, and a provider that is not responsible for who it lets in."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from devstack.approve import approve
from devstack.network import Account, Network
from devstack.sign_in import finish_url, sign_in
from plyr.api import auth
from plyr.atproto.oauth import SigningKey
from plyr.auth import pds
from plyr.auth.errors import GrantMissing
from plyr.config import Settings
from plyr.kit.ids import Did
from plyr.runtime import Resources, open_resources
from tests.atproto.servers import web_server
from tests.fixtures.auth import auth_api, settings_on
from tests.fixtures.network import StartNetwork

ORIGIN = "https://app.atnet.dev"
Deploy = Callable[[list[dict[str, str]]], Awaitable[tuple[httpx.AsyncClient, Resources]]]


def new_key(key_id: str) -> dict[str, str]:
    return {**SigningKey.generate().private_jwk(), "kid": key_id}


class Site:
    """the address where the world finds our client's documents, whichever deployment serves them now."""

    app: FastAPI | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.app is not None
        scope = {**scope, "path": scope["path"].removeprefix("/api")}
        await self.app(scope, receive, send)


@asynccontextmanager
async def serving(site: Site, port: int) -> AsyncIterator[None]:
    """serve a site over http while the block runs."""
    server = uvicorn.Server(uvicorn.Config(site, port=port, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield
    server.should_exit = True
    await running


@pytest.fixture
async def deploy(settings: Settings, start_network: StartNetwork, free_port: int) -> AsyncIterator[Deploy]:
    """`client, resources = await deploy(keys)`: the product on https with these client keys, on one network."""
    network = start_network(redirects={ORIGIN: f"http://127.0.0.1:{free_port}"}, accounts=["alice.test"])
    site = Site()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(site, free_port))

        async def deployed(keys: list[dict[str, str]]) -> tuple[httpx.AsyncClient, Resources]:
            # settings refuse loopback on https, as they should: only a test has both
            https = {"web_origin": ORIGIN, "oauth_client_keys": SecretStr(json.dumps(keys))}
            production = settings_on(settings, network).model_copy(update=https)
            resources = await stack.enter_async_context(open_resources(production, application_name="tests"))
            site.app = FastAPI()
            site.app.include_router(auth.router)
            site.app.state.resources = resources
            transport = httpx.ASGITransport(app=site.app)
            client = httpx.AsyncClient(transport=transport, base_url="https://api.test", timeout=60)
            return await stack.enter_async_context(client), resources

        yield deployed


async def _expire_tokens(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("update oauth_grants set access_expires_at = now() where status = 'active'")
    await connection.close()


async def test_confidential_client_signs_in_refreshes_and_outlives_a_key_rotation(
    deploy: Deploy, database_url: str
) -> None:
    first, second = new_key("2026-01"), new_key("2026-07")
    client, resources = await deploy([first, second])
    signed_in = await sign_in(client, "alice.test")
    did = Did(signed_in.did)
    assert {cookie.name for cookie in client.cookies.jar if cookie.secure} == {"__Host-plyr_login", "session_id"}

    _, rotated = await deploy([second, first])
    await _expire_tokens(database_url)
    answer = await pds.call(rotated, did, "GET", "com.atproto.server.getSession")
    assert answer.json()["handle"] == "alice.test"

    client, resources = await deploy([second, first])
    await sign_in(client, "alice.test")
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("select client_key_id from oauth_grants order by created_at")
    assert [row["client_key_id"] for row in rows] == ["2026-01", "2026-07"]

    _, resources = await deploy([second])
    await _expire_tokens(database_url)
    assert (await pds.call(resources, did, "GET", "com.atproto.server.getSession")).json()["did"] == did
    await connection.execute(
        "update oauth_grants set status = 'expired', ended_at = now() where client_key_id = '2026-07'"
    )
    await connection.close()
    with pytest.raises(GrantMissing):
        await pds.call(resources, did, "GET", "com.atproto.server.getSession")


async def test_sign_in_goes_on_while_servers_do_not_know_the_newest_key_yet(deploy: Deploy, database_url: str) -> None:
    known, new = new_key("known"), new_key("new")
    client, _ = await deploy([known])
    await sign_in(client, "alice.test")
    client, resources = await deploy([new, known])
    signed_in = await sign_in(client, "alice.test")
    await _expire_tokens(database_url)
    answer = await pds.call(resources, Did(signed_in.did), "GET", "com.atproto.server.getSession")
    assert answer.json()["did"] == signed_in.did


async def test_callback_from_a_provider_that_is_not_the_accounts_own_is_refused(
    settings: Settings, network: Network, start_network: StartNetwork
) -> None:
    """the account has moved to another PDS; its old one, or one that lies, still says that it is theirs."""
    old = start_network(plc_url=network.plc_url, domain=".two.test")
    account: Account = old.new_account()
    async with web_server() as plc:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": network.pds_url}
        document = {"id": account.did, "alsoKnownAs": [f"at://{account.handle}"], "service": [service]}
        plc.page(f"127.0.0.1:{plc.port}", f"/{account.did}", json.dumps(document))
        there = settings_on(settings, old, atproto_plc_url=f"http://127.0.0.1:{plc.port}")
        async with auth_api(there) as (client, _):
            started = await client.get("/auth/start", params={"handle": old.pds_url})
            callback = await approve(started.headers["location"], account.handle, account.password)
            refused = httpx.URL(await finish_url(client, callback))
    assert (refused.path, refused.params["error"]) == ("/login", "identity_mismatch")


async def test_two_pds_on_one_directory_each_sign_their_own_people_in(
    settings: Settings, network: Network, start_network: StartNetwork
) -> None:
    other = start_network(plc_url=network.plc_url, domain=".two.test")
    servers = f".two.test={other.pds_url},.test={network.pds_url}"
    async with auth_api(settings_on(settings, network, atproto_handle_servers=servers)) as (client, _):
        for account in (network.new_account(), other.new_account()):
            assert (await sign_in(client, account.handle)).did == account.did
        started = await client.get("/auth/start", params={"handle": other.new_account().handle})
        mine = network.new_account()
        stolen = await client.get("/auth/start", params={"handle": mine.handle})
        callback = httpx.URL(await approve(stolen.headers["location"], mine.handle, mine.password))
        assert started.headers["location"].startswith(other.pds_url)
        mixed = callback.copy_set_param("iss", other.pds_url)
        assert "error=identity_mismatch" in await finish_url(client, str(mixed))
