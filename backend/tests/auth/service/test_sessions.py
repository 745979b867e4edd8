"""sessions: how long they live, and how little of them lies in the database."""

import base64
import json
from collections.abc import Callable
from uuid import UUID

import asyncpg
import httpx
import pytest
from cryptography.fernet import Fernet

from devstack.approve import approve
from devstack.network import PASSWORD, Account, Network
from devstack.sign_in import SignedIn, sign_in
from plyr.auth import pds, service
from plyr.auth.service.grants import open_grant
from plyr.auth.vault import Vault
from plyr.kit.ids import Did
from plyr.runtime import Resources
from tests.fixtures.services import Env, Service


async def sql(database_url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def everything(database_url: str) -> str:
    """return every row of every table as text, binary columns decoded as well as can be."""
    names = await sql(database_url, "select tablename from pg_tables where schemaname = 'public'")
    rows = [row for name in names for row in await sql(database_url, f'select * from "{name[0]}"')]
    values = [value for row in rows for value in row.values()]
    texts = [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in values]
    return "\n".join([*texts, *(value.hex() for value in values if isinstance(value, bytes))])


async def test_database_holds_no_token_key_or_session_id_in_clear(
    client: httpx.AsyncClient, resources: Resources, alice: SignedIn, database_url: str
) -> None:
    pending = await client.get("/auth/start", params={"handle": alice.handle})
    callback = await approve(pending.headers["location"], alice.handle, PASSWORD)
    state, code = httpx.URL(callback).params["state"], httpx.URL(callback).params["code"]
    finished = await client.get("/auth/callback", params=httpx.URL(callback).params)
    exchange_token = httpx.URL(finished.headers["location"]).params["exchange_token"]
    await client.get("/auth/start", params={"handle": alice.handle})
    grant_id: UUID = (await sql(database_url, "select grant_id from sessions"))[0][0]
    grant = await open_grant(resources, grant_id)
    assert grant is not None
    private = grant.dpop_key.private_jwk()["d"]
    secrets = {
        "session": alice.session_id,
        "state": state,
        "code": code,
        "exchange token": exchange_token,
        "browser": client.cookies["plyr_login"],
        "access token": grant.access_token,
        "refresh token": grant.refresh_token,
        "dpop key": private,
    }
    dump = await everything(database_url)
    assert alice.did in dump
    for name, secret in secrets.items():
        assert secret not in dump, name
        assert secret.encode().hex() not in dump, name
        assert base64.b64encode(secret.encode()).decode() not in dump, name
    assert base64.urlsafe_b64decode(private + "==").hex() not in dump


async def test_ciphertext_moved_to_another_row_does_not_open(
    client: httpx.AsyncClient, resources: Resources, alice: SignedIn, network: Network, database_url: str
) -> None:
    bob = network.new_account()
    await sign_in(client, bob.handle)
    steal = f"""update oauth_grants set access_token = theirs.access_token from oauth_grants theirs
                where oauth_grants.did = '{bob.did}' and theirs.did = '{alice.did}'"""
    await sql(database_url, steal)
    with pytest.raises(Exception, match="belongs elsewhere"):
        await pds.call(resources, Did(bob.did), "GET", "com.atproto.server.getSession")


async def test_resolve_session_ends_with_its_time_and_is_prolonged_by_use(
    resources: Resources, alice: SignedIn, database_url: str
) -> None:
    caller = await service.resolve_session(resources.db, alice.session_id)
    assert caller is not None
    assert (caller.did, caller.handle, caller.has_profile) == (alice.did, alice.handle, False)
    assert alice.session_id not in repr(caller)
    aged = "update sessions set last_seen_at = now() - interval '1 day', expires_at = now() + interval '1 day'"
    await sql(database_url, aged)
    assert await service.resolve_session(resources.db, alice.session_id) is not None
    seen = "select expires_at > now() + interval '89 days' and last_seen_at > now() - interval '1 minute' from sessions"
    assert (await sql(database_url, seen))[0][0] is True
    await sql(database_url, "update sessions set expires_at = now()")
    assert await service.resolve_session(resources.db, alice.session_id) is None


async def test_forget_expired_drops_what_is_over_and_gives_its_grants_back(
    client: httpx.AsyncClient, resources: Resources, alice: SignedIn, database_url: str
) -> None:
    await client.get("/auth/start", params={"handle": alice.handle})
    assert await service.forget_expired(resources.db) == 0
    await sql(database_url, "update oauth_attempts set expires_at = now() - interval '1 second'")
    await sql(database_url, "update sessions set expires_at = now() - interval '1 second'")
    assert await service.forget_expired(resources.db) == 1
    assert await sql(database_url, "select from oauth_attempts union all select from sessions") == []
    revocations = "select kind from jobs where kind <> 'reconcile_repo'"
    assert [row["kind"] for row in await sql(database_url, revocations)] == ["revoke_grant"]
    ended = "update oauth_grants set status = 'ended', ended_at = now() - interval '40 days', dpop_key = null, "
    await sql(database_url, ended + "access_token = null, refresh_token = null")
    await service.forget_expired(resources.db)
    assert await sql(database_url, "select from oauth_grants") == []


async def test_encrypt_anew_lets_the_old_key_go(resources: Resources, alice: SignedIn, database_url: str) -> None:
    new = Fernet.generate_key().decode()
    old = resources.settings.encryption_keys.get_secret_value()
    both = _with_vault(resources, Vault([new, old]))
    assert await service.encrypt_anew(both) == 1
    only = _with_vault(resources, Vault([new]))
    answer = await pds.call(only, Did(alice.did), "GET", "com.atproto.server.getSession")
    assert answer.json()["handle"] == alice.handle


def _with_vault(resources: Resources, vault: Vault) -> Resources:
    return Resources(**{**{name: getattr(resources, name) for name in resources.__dataclass_fields__}, "vault": vault})


async def test_processes_write_no_secret_into_their_output(
    backend_env: dict[str, str], start_api: Callable[[Env], Service], new_account: Callable[[], Account]
) -> None:
    api = start_api(backend_env)
    account = new_account()
    async with httpx.AsyncClient(base_url=api.url) as client:
        signed_in = await sign_in(client, account.handle)
        await client.get("/auth/me", headers=signed_in.authorization)
        browser = client.cookies["plyr_login"]
    output = api.output()
    assert account.did in output
    assert all(secret not in output for secret in (signed_in.session_id, browser, "exchange_token=", "code="))
    assert "eyJ" not in json.dumps(output)
