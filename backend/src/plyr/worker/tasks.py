"""What docket runs: a job by its id, a repo's outbox by its DID, and the housekeeping."""

from uuid import UUID

from plyr.auth.jobs import revoke_grant
from plyr.index.accounts import check_account, resolve_identity
from plyr.index.delivery import deliver_repo
from plyr.index.mirror import mirror_audio
from plyr.index.reconcile import reconcile_repo
from plyr.jobs import runner
from plyr.jobs.kinds import JobKind
from plyr.jobs.runner import Handler
from plyr.kit.ids import Did, JobId
from plyr.runtime import Resources
from plyr.uploads.jobs import process_upload

HANDLERS: dict[JobKind, Handler] = {
    JobKind.UPLOAD: process_upload,
    JobKind.REVOKE_GRANT: revoke_grant,
    JobKind.RECONCILE_REPO: reconcile_repo,
    JobKind.CHECK_ACCOUNT: check_account,
    JobKind.RESOLVE_IDENTITY: resolve_identity,
    JobKind.MIRROR_AUDIO: mirror_audio,
}
"""who does a job of each kind"""

if missing := set(JobKind) - set(HANDLERS):
    raise RuntimeError(f"no handler for {', '.join(sorted(missing))}")


class Tasks:
    """The tasks, bound to the resources of this worker."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def run_job(self, job_id: str) -> None:
        """Run one job if it is due and free."""
        lease_s = self._resources.settings.job_lease_s
        await runner.run(JobId(UUID(job_id)), self._resources.db, HANDLERS, self._resources, lease_s)

    async def deliver(self, did: str) -> None:
        """Deliver a repo's due writes."""
        await deliver_repo(Did(did), self._resources)
