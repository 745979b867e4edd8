"""Giving grants back to their provider."""

from uuid import UUID, uuid4

import structlog

from plyr.atproto.errors import AtprotoError
from plyr.atproto.oauth.errors import ClientKeyGone, ProviderRefused
from plyr.auth import repo
from plyr.auth.errors import PdsUnreachable
from plyr.auth.resources import AuthResources
from plyr.auth.service.grants import LEASE, open_grant

log = structlog.get_logger()


async def revoke_grant(resources: AuthResources, grant_id: UUID) -> None:
    """Revoke a grant that is ending and forget its secrets. Again, or for another status: nothing.

    errors: PdsUnreachable when the provider cannot be asked now, or a refresh is under way; try again later
    """
    grant = await open_grant(resources, grant_id)
    if grant is None or grant.status != "ending":
        return
    lease_id = uuid4()
    async with resources.db.begin() as session:
        if not await repo.take_lease(session, grant_id, grant.generation, "ending", lease_id, LEASE):
            raise PdsUnreachable("a renewal of this permission is still under way")
    try:
        server = await resources.oauth.discovery.server(grant.issuer)
        await resources.oauth.revoke(server, grant.refresh_token, grant.dpop_key, grant.client_key_id)
    except (ClientKeyGone, ProviderRefused) as error:
        log.warning("grant_not_revoked", did=grant.did, error=error.detail)
    except AtprotoError as error:
        async with resources.db.begin() as session:
            await repo.release_lease(session, grant_id, lease_id, failed=False)
        raise PdsUnreachable(f"the sign-out could not be told to {grant.issuer}") from error
    async with resources.db.begin() as session:
        await repo.end_grant(session, grant_id)


async def abandon_grant(resources: AuthResources, grant_id: UUID) -> None:
    """Forget a grant's secrets though its provider was never told; it ends there by itself, in weeks."""
    async with resources.db.begin() as session:
        await repo.end_grant(session, grant_id)
