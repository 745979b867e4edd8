"""signing out: told to the provider, as often as it takes."""

from uuid import UUID

import asyncpg
import httpx
import pytest

from devstack.faults import FaultProxy, answer, reset
from devstack.network import Network
from devstack.sign_in import SignedIn, sign_in
from plyr.atproto.oauth.errors import GrantRefused
from plyr.auth.jobs import revoke_grant
from plyr.auth.service.grants import OpenGrant, open_grant
from plyr.jobs import runner
from plyr.jobs.kinds import JobKind
from plyr.kit.ids import JobId
from plyr.runtime import Resources
from tests.fixtures.auth import OpenApi

REVOKE = "/oauth/revoke"


class SignedOut:
    """somebody who has just signed out, while the provider still knows nothing of it."""

    def __init__(self, resources: Resources, grant: OpenGrant, job_id: JobId, database_url: str) -> None:
        self.resources, self.grant, self.job_id = resources, grant, job_id
        self._database_url = database_url

    async def run_job(self) -> tuple[str, str | None]:
        """run the job once; returns its status and error code."""
        await self.sql("update jobs set run_after = now() where kind = 'revoke_grant'")
        await runner.run(self.job_id, self.resources.db, {JobKind.REVOKE_GRANT: revoke_grant}, self.resources, 5.0)
        row = (await self.sql("select status, error_code from jobs where kind = 'revoke_grant'"))[0]
        return row["status"], row["error_code"]

    async def grant_status(self) -> str:
        """return the grant's status."""
        return str((await self.sql("select status from oauth_grants"))[0]["status"])

    async def sql(self, statement: str) -> list[asyncpg.Record]:
        """run a statement."""
        connection = await asyncpg.connect(self._database_url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    async def refresh(self) -> None:
        """spend the old refresh token."""
        oauth, grant = self.resources.oauth, self.grant
        server = await oauth.discovery.server(grant.issuer)
        await oauth.refresh(server, grant.refresh_token, grant.dpop_key, None)


@pytest.fixture
async def signed_out(open_api: OpenApi, faulty_network: Network, faults: FaultProxy, database_url: str) -> SignedOut:
    client, resources = await open_api(faulty_network)
    signed_in: SignedIn = await sign_in(client, faulty_network.new_account().handle)
    connection = await asyncpg.connect(database_url)
    grant = await open_grant(resources, UUID(str(await connection.fetchval("select grant_id from sessions"))))
    assert grant is not None
    faults.on("", answer(500), times=float("inf"))
    assert (await _sign_out(client, signed_in)).status_code == 204
    faults.clear()
    job_id = JobId(await connection.fetchval("select id from jobs where kind = 'revoke_grant'"))
    await connection.close()
    return SignedOut(resources, grant, job_id, database_url)


async def _sign_out(client: httpx.AsyncClient, signed_in: SignedIn) -> httpx.Response:
    client.cookies.delete("session_id")
    return await client.post("/auth/logout", headers=signed_in.authorization)


async def test_revoke_grant_ends_it_at_the_provider_and_forgets_its_secrets(
    signed_out: SignedOut, faults: FaultProxy
) -> None:
    assert await signed_out.grant_status() == "ending"
    assert await signed_out.run_job() == ("completed", None)
    assert faults.count(REVOKE) >= 1
    assert await signed_out.grant_status() == "ended"
    row = (await signed_out.sql("select dpop_key, access_token, refresh_token from oauth_grants"))[0]
    assert set(row.values()) == {None}
    with pytest.raises(GrantRefused):
        await signed_out.refresh()


async def test_revoke_grant_is_tried_again_while_the_provider_is_down(
    signed_out: SignedOut, faults: FaultProxy
) -> None:
    for fault in (answer(503), reset()):
        faults.on(REVOKE, fault)
        assert (await signed_out.run_job())[0] in ("pending", "processing")
        assert await signed_out.grant_status() == "ending"
    assert await signed_out.run_job() == ("completed", None)
    assert await signed_out.grant_status() == "ended"


async def test_revoke_grant_gives_up_in_the_end_and_still_forgets(signed_out: SignedOut, faults: FaultProxy) -> None:
    faults.on(REVOKE, answer(500), times=float("inf"))
    for _ in range(4):
        assert (await signed_out.run_job())[0] != "failed"
    assert await signed_out.run_job() == ("failed", "provider_unreachable")
    assert await signed_out.grant_status() == "ended"


async def test_revoke_grant_again_changes_nothing(signed_out: SignedOut, faults: FaultProxy) -> None:
    await signed_out.run_job()
    faults.clear()
    await signed_out.sql(
        "update jobs set status = 'pending', lease_token = null, lease_until = null where kind = 'revoke_grant'"
    )
    assert await signed_out.run_job() == ("completed", None)
    assert faults.count(REVOKE) == 0
