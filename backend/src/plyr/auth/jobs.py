"""What auth asks of the worker."""

from uuid import UUID

from plyr.auth.errors import PdsUnreachable
from plyr.auth.resources import AuthResources
from plyr.auth.service.revocation import abandon_grant
from plyr.auth.service.revocation import revoke_grant as revoke
from plyr.jobs import service as jobs
from plyr.jobs.errors import JobFailed
from plyr.jobs.runner import MAX_ATTEMPTS, JobContext


async def revoke_grant(context: JobContext) -> None:
    """Tell a provider that somebody signed out; after the last attempt only forget what we held.

    shape:  payload {grant_id}
    """
    resources: AuthResources = context.resources
    grant_id = UUID(context.job.payload["grant_id"])
    try:
        await revoke(resources, grant_id)
    except PdsUnreachable as error:
        if context.attempt < MAX_ATTEMPTS:
            raise
        await abandon_grant(resources, grant_id)
        raise JobFailed(
            "provider_unreachable", "the provider was never reached; our copy of the tokens is gone"
        ) from error
    async with context.db.begin() as session:
        await jobs.complete(session, context.job.id, {})
