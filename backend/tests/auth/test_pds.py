"""calls in a user's name: one refresh whoever asks, and nothing lost when things go wrong around it."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from devstack.faults import FaultProxy, answer, delay, drop_answer, new_nonce, reset, too_many_requests
from devstack.network import Network
from devstack.paths import BACKEND, BACKEND_SRC, ROOT
from devstack.sign_in import SignedIn, sign_in
from plyr.auth import pds
from plyr.auth.errors import GrantMissing, PdsRefused, PdsUnreachable, RateLimited
from plyr.auth.service import settle
from plyr.kit.ids import Did
from plyr.runtime import Resources
from tests.fixtures.auth import OpenApi
from tests.fixtures.network import StartNetwork

SESSION = "com.atproto.server.getSession"


class Person:
    """somebody signed in on a network that can misbehave, and the grant we have of them."""

    def __init__(self, resources: Resources, signed_in: SignedIn, database_url: str) -> None:
        self.resources = resources
        self.did = Did(signed_in.did)
        self._database_url = database_url

    async def call(self, nsid: str = SESSION, **more: Any) -> dict[str, Any]:
        """call the PDS."""
        method = "POST" if "json" in more or "content" in more else "GET"
        return (await pds.call(self.resources, self.did, method, nsid, **more)).json()  # type: ignore[arg-type]

    async def sql(self, statement: str, *values: object) -> Any:
        """run a statement on the database and return its first value."""
        connection = await asyncpg.connect(self._database_url)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()

    async def let_token_expire(self) -> None:
        """make the access token look old."""
        await self.sql("update oauth_grants set access_expires_at = now() - interval '1 second'")

    async def grant(self) -> tuple[str, int]:
        """return status and generation of the only grant."""
        row = await self.sql("select (status, generation)::text from oauth_grants")
        status, generation = row.strip("()").split(",")
        return status, int(generation)


@pytest.fixture
async def person(
    open_api: OpenApi, faulty_network: Network, faults: FaultProxy, database_url: str
) -> AsyncIterator[Person]:
    client, resources = await open_api(faulty_network)
    signed_in = await sign_in(client, faulty_network.new_account().handle)
    faults.clear()
    yield Person(resources, signed_in, database_url)
    await settle()


def refreshes(faults: FaultProxy) -> int:
    """return how many refreshes the provider carried out."""
    return sum("/oauth/token" in one.path and one.status == 200 for one in faults.seen)


async def _call_elsewhere(env: dict[str, str], did: str, count: int) -> "asyncio.subprocess.Process":
    command = [sys.executable, "-m", "tests.auth.calling", did, str(count)]
    paths = {"PYTHONPATH": f"{BACKEND_SRC}:{BACKEND}:{ROOT}"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=BACKEND, env=env | paths, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


def _env(resources: Resources, network: Network) -> dict[str, str]:
    settings = resources.settings
    return {
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "WEB_ORIGIN": settings.web_origin,
        **network.backend_settings(),
    }


async def test_call_with_an_expired_token_in_several_processes_refreshes_once(
    person: Person, faulty_network: Network, faults: FaultProxy
) -> None:
    env = _env(person.resources, faulty_network)
    processes = [await _call_elsewhere(env, person.did, 15) for _ in range(3)]
    await person.let_token_expire()
    faults.on("/oauth/token", delay(0.3))
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    results = [result for output, _ in outputs for result in json.loads(output)]
    assert results == [person.did] * 45
    assert refreshes(faults) == 1
    assert await person.grant() == ("active", 2)


async def test_call_with_a_token_the_pds_calls_expired_refreshes_once(
    open_api: OpenApi, start_network: StartNetwork, database_url: str
) -> None:
    network = start_network(token_max_age_ms=1500)
    client, resources = await open_api(network)
    person = Person(resources, await sign_in(client, network.new_account().handle), database_url)
    await person.sql("update oauth_grants set access_expires_at = now() + interval '1 hour'")
    await asyncio.sleep(2.1)
    answers = await asyncio.gather(*(person.call() for _ in range(10)))
    assert {one["did"] for one in answers} == {person.did}
    assert await person.grant() == ("active", 2)


async def test_call_with_a_nonce_that_changes_every_time_succeeds(person: Person, faults: FaultProxy) -> None:
    await person.call()
    for _ in range(3):
        faults.on(SESSION, new_nonce())
        assert (await person.call())["did"] == person.did
    await person.let_token_expire()
    faults.on("/oauth/token", new_nonce())
    faults.on(SESSION, new_nonce())
    assert (await person.call())["did"] == person.did
    assert await person.grant() == ("active", 2)


async def test_streamed_body_is_byte_identical_when_it_is_sent_again(
    person: Person, faults: FaultProxy, faulty_network: Network
) -> None:
    content = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(40_000))
    starts = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal starts
        starts += 1
        for offset in range(0, len(content), 50_000):
            yield content[offset : offset + 50_000]

    await person.call()
    faults.on("uploadBlob", new_nonce())
    uploaded = await person.call(
        "com.atproto.repo.uploadBlob",
        content=stream,
        content_length=len(content),
        headers={"content-type": "audio/flac"},
    )
    assert starts == 2
    blob = uploaded["blob"]
    assert blob["size"] == len(content)
    record = {"$type": "fm.plyr.dev.track", "audioBlob": blob}
    body = {"repo": person.did, "collection": "fm.plyr.dev.track", "rkey": "3l5abcdefgh2a", "record": record}
    await person.call("com.atproto.repo.putRecord", json=body)
    query = {"did": person.did, "cid": blob["ref"]["$link"]}
    kept = httpx.get(f"{faulty_network.pds_url}/xrpc/com.atproto.sync.getBlob", params=query)
    assert kept.content == content


async def test_refresh_that_cannot_reach_the_provider_is_no_revoked_grant(person: Person, faults: FaultProxy) -> None:
    for fault in (answer(500), answer(503), reset(), too_many_requests()):
        await person.let_token_expire()
        faults.on("/oauth/token", fault)
        with pytest.raises(PdsUnreachable):
            await person.call()
        assert await person.grant() == ("active", 1)
    assert (await person.call())["did"] == person.did
    assert await person.grant() == ("active", 2)


async def test_refresh_that_fails_fails_for_all_who_wait_and_is_not_repeated_by_each(
    person: Person, faults: FaultProxy
) -> None:
    await person.let_token_expire()
    faults.on("/oauth/token", answer(500), times=float("inf"))
    results = await asyncio.gather(*(person.call() for _ in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {PdsUnreachable}
    assert faults.count("/oauth/token") == 1


async def test_refresh_goes_on_when_its_caller_goes_away(person: Person, faults: FaultProxy) -> None:
    await person.let_token_expire()
    faults.on("/oauth/token", delay(0.4))
    caller = asyncio.create_task(person.call())
    while faults.count("/oauth/token") == 0:
        await asyncio.sleep(0.02)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await settle()
    assert await person.grant() == ("active", 2)
    assert (await person.call())["did"] == person.did


async def test_refresh_by_a_process_that_died_is_taken_over(person: Person, faults: FaultProxy) -> None:
    await person.let_token_expire()
    await person.sql("update oauth_grants set lease_id = gen_random_uuid(), lease_until = now() + interval '1 second'")
    assert (await person.call())["did"] == person.did
    assert refreshes(faults) == 1


async def test_refresh_whose_answer_was_lost_ends_the_grant_and_says_so(person: Person, faults: FaultProxy) -> None:
    await person.let_token_expire()
    faults.on("/oauth/token", drop_answer())
    with pytest.raises(PdsUnreachable):
        await person.call()
    assert await person.grant() == ("active", 1)
    with pytest.raises(GrantMissing):
        await person.call()
    assert (await person.grant())[0] == "expired"


async def test_call_with_a_revoked_grant_asks_for_a_sign_in_and_takes_an_older_one_if_there_is(
    person: Person, open_api: OpenApi, faulty_network: Network, faults: FaultProxy
) -> None:
    client, _ = await open_api(faulty_network)
    handle = (await person.call())["handle"]
    await sign_in(client, handle)
    newest = "(select id from oauth_grants order by created_at desc limit 1)"
    await person.sql(f"update oauth_grants set access_expires_at = now() where id = {newest}")
    faults.on("/oauth/token", answer(400, {"error": "invalid_grant"}))
    assert (await person.call())["did"] == person.did
    assert await person.sql(f"select status from oauth_grants where id = {newest}") == "expired"
    await person.let_token_expire()
    faults.on("/oauth/token", answer(400, {"error": "invalid_grant"}))
    with pytest.raises(GrantMissing):
        await person.call()
    assert await person.sql("select count(*) from oauth_grants where status = 'active'") == 0


async def test_call_tells_a_refusal_from_a_pause_and_from_a_breakdown(person: Person, faults: FaultProxy) -> None:
    with pytest.raises(PdsRefused) as refused:
        await person.call("com.atproto.repo.getRecord", params={"repo": person.did, "collection": "a.b.c", "rkey": "x"})
    assert (refused.value.status, refused.value.error) == (400, "RecordNotFound")
    like = {"repo": person.did, "collection": "app.bsky.feed.like", "rkey": "x", "record": {"a": 1}}
    with pytest.raises(PdsRefused) as refused:
        await person.call("com.atproto.repo.putRecord", json=like)
    assert (refused.value.status, refused.value.error) == (403, "ScopeMissingError")
    faults.on(SESSION, too_many_requests(7))
    with pytest.raises(RateLimited) as limited:
        await person.call()
    assert limited.value.retry_after_s == 7
    faults.on(SESSION, answer(500))
    with pytest.raises(PdsUnreachable):
        await person.call()
    faults.on(SESSION, reset())
    with pytest.raises(PdsUnreachable):
        await person.call()
    assert await person.grant() == ("active", 1)


async def test_call_for_somebody_who_never_signed_in_asks_for_it(person: Person) -> None:
    with pytest.raises(GrantMissing):
        await pds.call(person.resources, Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"), "GET", SESSION)
