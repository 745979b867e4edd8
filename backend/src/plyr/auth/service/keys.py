"""Changing the encryption keys without signing anybody out."""

from uuid import UUID

from plyr.auth import repo
from plyr.auth.resources import AuthResources

_BATCH = 200


async def encrypt_anew(resources: AuthResources) -> int:
    """Write every secret under the newest key, so that older ones can be retired; returns how many grants.

    shape:  sign-ins under way are left out: they are over within minutes
    errors: VaultError when a secret opens with none of the keys
    """
    count, after = 0, UUID(int=0)
    while True:
        async with resources.db.begin() as session:
            grants = await repo.list_grants_with_secrets(session, after, _BATCH)
            if not grants:
                return count
            columns = ("dpop_key", "access_token", "refresh_token")
            await repo.replace_secrets(
                session,
                [
                    {
                        "grant_id": grant.id,
                        **{name: resources.vault.rotate(getattr(grant, name)) for name in columns},
                    }
                    for grant in grants
                ],
            )
        count, after = count + len(grants), grants[-1].id
