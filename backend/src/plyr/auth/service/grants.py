"""Grants: what a PDS lets us do for an account, kept alive by one refresh at a time.

a refresh token works once; using it twice destroys the session at the provider. so whoever refreshes holds a lease
in the grant's row, taken and given back in short transactions with the network in between. the others wait and read
again. within a process all callers share one flight, and a caller who goes away does not take it down.
"""

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from plyr.atproto.errors import AtprotoError
from plyr.atproto.oauth import SigningKey, Tokens
from plyr.atproto.oauth.errors import ClientKeyGone, GrantRefused
from plyr.auth import repo
from plyr.auth.errors import GrantExpired, GrantMissing, PdsUnreachable
from plyr.auth.resources import AuthResources
from plyr.auth.vault import Vault
from plyr.auth.views import GrantRow
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did

REFRESH_S = 25.0
"""how long a refresh may take, discovery included"""
LEASE = timedelta(seconds=REFRESH_S + 20.0)
_WAIT_S = 35.0
_REREAD_S = (0.03, 0.25)
_STORE_RETRY_S = (0.0, 0.2, 1.0, 3.0)

log = structlog.get_logger()
_flights: "dict[UUID, asyncio.Task[OpenGrant]]" = {}


@dataclass(frozen=True, slots=True)
class OpenGrant:
    """A grant with its secrets readable."""

    id: UUID
    did: Did
    pds_url: str
    issuer: str
    client_key_id: str | None
    dpop_key: SigningKey
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime
    status: str
    generation: int


def seal_grant(vault: Vault, grant_id: UUID, tokens: Tokens, dpop_key: SigningKey | None = None) -> dict[str, object]:
    """Return the columns of a grant that new tokens change; the DPoP key only when it is given."""
    sealed: dict[str, object] = {
        "access_token": vault.encrypt(_purpose("access_token", grant_id), tokens.access_token),
        "refresh_token": vault.encrypt(_purpose("refresh_token", grant_id), tokens.refresh_token),
        "access_expires_at": tokens.access_expires_at,
        "scope": tokens.scope,
    }
    if dpop_key is not None:
        sealed["dpop_key"] = vault.encrypt(_purpose("dpop_key", grant_id), json.dumps(dpop_key.private_jwk()))
    return sealed


async def open_newest(resources: AuthResources, did: Did) -> OpenGrant:
    """Return the newest grant of an account that is good as far as we know. errors: GrantMissing. cost: 1 query."""
    async with resources.db.begin() as session:
        row = await repo.find_newest_grant(session, did)
    if row is None:
        raise GrantMissing
    return _opened(resources.vault, row)


async def open_grant(resources: AuthResources, grant_id: UUID) -> OpenGrant | None:
    """Return a grant whose secrets we still have, None otherwise."""
    async with resources.db.begin() as session:
        row = await repo.find_grant(session, grant_id)
    return _opened(resources.vault, row) if row is not None and row.status != "ended" else None


async def renew(resources: AuthResources, stale: OpenGrant) -> OpenGrant:
    """Return a later generation of a grant: the one somebody made meanwhile, or a new one.

    errors: GrantExpired when the provider refuses it; PdsUnreachable when it cannot be asked, the grant stays good
    cost:   one refresh at the provider however many ask, in however many processes; at most 35 s
    """
    try:
        async with asyncio.timeout(_WAIT_S):
            while True:
                flight = _flights.get(stale.id)
                if flight is None or flight.done():
                    flight = asyncio.create_task(_fly(resources, stale), name=str(stale.id))
                    _flights[stale.id] = flight
                    flight.add_done_callback(_landed)
                renewed = await asyncio.shield(flight)
                if renewed.generation > stale.generation:
                    return renewed
    except TimeoutError:
        raise PdsUnreachable("your server did not renew our permission in time; nothing was lost") from None


async def settle() -> None:
    """Wait for the refreshes under way, so that no new tokens are lost when a process ends."""
    await asyncio.gather(*_flights.values(), return_exceptions=True)


def _landed(flight: "asyncio.Task[OpenGrant]") -> None:
    grant_id = UUID(flight.get_name())
    if _flights.get(grant_id) is flight:
        del _flights[grant_id]
    if not flight.cancelled():
        # read even if every caller went away, else asyncio complains about an error nobody saw
        flight.exception()


async def _fly(resources: AuthResources, stale: OpenGrant) -> OpenGrant:
    lease_id = uuid4()
    failures: int | None = None
    pause_s, longest_s = _REREAD_S
    while True:
        async with resources.db.begin() as session:
            taken = await repo.take_lease(session, stale.id, stale.generation, "active", lease_id, LEASE)
            row = await repo.find_grant(session, stale.id)
        if row is None or row.status != "active":
            raise GrantExpired
        if row.generation > stale.generation:
            return _opened(resources.vault, row)
        if taken:
            return await _refresh(resources, _opened(resources.vault, row), lease_id)
        failures = row.refresh_failures if failures is None else failures
        if row.refresh_failures > failures:
            raise PdsUnreachable("your server could not be reached to renew our permission; nothing was lost")
        await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 - spreads readers, no secret
        pause_s = min(pause_s * 1.5, longest_s)


async def _refresh(resources: AuthResources, grant: OpenGrant, lease_id: UUID) -> OpenGrant:
    oauth = resources.oauth
    try:
        async with asyncio.timeout(REFRESH_S):
            server = await oauth.discovery.server(grant.issuer)
            tokens = await oauth.refresh(server, grant.refresh_token, grant.dpop_key, grant.client_key_id)
    except (GrantRefused, ClientKeyGone) as error:
        await _expire(resources, grant, error.detail)
        raise GrantExpired from error
    except (AtprotoError, TimeoutError) as error:
        async with resources.db.begin() as session:
            await repo.release_lease(session, grant.id, lease_id, failed=True)
        log.warning("grant_refresh_failed", did=grant.did, error=str(error))
        raise PdsUnreachable("your server could not be reached to renew our permission; nothing was lost") from error
    if tokens.did != grant.did:
        await _expire(resources, grant, "the provider answered with another account's tokens")
        raise GrantExpired
    await _store(resources, grant, seal_grant(resources.vault, grant.id, tokens))
    log.info("grant_refreshed", did=grant.did, generation=grant.generation + 1)
    async with resources.db.begin() as session:
        row = await repo.find_grant(session, grant.id)
    if row is None or row.status == "ended":
        raise GrantExpired
    return _opened(resources.vault, row)


async def _store(resources: AuthResources, grant: OpenGrant, values: Mapping[str, object]) -> None:
    # the old tokens are dead by now: losing the new ones would cost the person a sign-in
    for delay_s in _STORE_RETRY_S:
        await asyncio.sleep(delay_s)
        try:
            async with resources.db.begin() as session:
                await repo.store_refreshed(session, grant.id, grant.generation, values)
            return
        except Exception as error:
            log.warning("grant_not_stored", did=grant.did, error=type(error).__name__)
    raise PdsUnreachable("our database did not take your server's answer; please sign in again if this stays")


async def _expire(resources: AuthResources, grant: OpenGrant, why: str) -> None:
    async with resources.db.begin() as session:
        await repo.expire_grant(session, grant.id, grant.generation)
    log.warning("grant_expired", did=grant.did, why=why)


def _opened(vault: Vault, row: GrantRow) -> OpenGrant:
    if row.dpop_key is None or row.access_token is None or row.refresh_token is None:
        raise GrantMissing
    return OpenGrant(
        id=row.id,
        did=row.did,
        pds_url=row.pds_url,
        issuer=row.issuer,
        client_key_id=row.client_key_id,
        dpop_key=SigningKey.from_jwk(json.loads(vault.decrypt(_purpose("dpop_key", row.id), row.dpop_key))),
        access_token=vault.decrypt(_purpose("access_token", row.id), row.access_token),
        refresh_token=vault.decrypt(_purpose("refresh_token", row.id), row.refresh_token),
        access_expires_at=row.access_expires_at,
        status=row.status,
        generation=row.generation,
    )


def expires_soon(grant: OpenGrant, margin_s: float = 30.0) -> bool:
    """Tell whether an access token is over, or will be before a request with it is through."""
    return grant.access_expires_at <= utc_now() + timedelta(seconds=margin_s)


def _purpose(column: str, grant_id: UUID) -> str:
    return f"oauth_grants.{column}:{grant_id}"
