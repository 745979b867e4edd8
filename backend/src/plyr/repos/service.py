"""What we know of repos, and when each is looked at again."""

import random
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import timedelta

from plyr.db import Database, Session
from plyr.jobs import service as jobs
from plyr.jobs.kinds import JobKind
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did, Rev
from plyr.repos import repo
from plyr.repos.views import RepoView

CHECK_EVERY = timedelta(hours=12)
COMPARE_EVERY = timedelta(days=3)
LONGEST_WAIT = timedelta(days=1)
_PAGE = 500


async def get(session: Session, did: Did) -> RepoView | None:
    """Return a repo, None if we do not know it."""
    return await repo.find(session, did)


async def is_known(session: Session, did: Did) -> bool:
    """Tell whether a repo holds, held or may hold records of ours."""
    return await repo.find(session, did) is not None


async def remember(session: Session, dids: Collection[Did]) -> list[Did]:
    """Make repos known; return the new ones. cost: 1 statement."""
    return await repo.add(session, dids) if dids else []


async def note_revs(session: Session, revs: Mapping[Did, Rev]) -> None:
    """Note the newest commit heard of, for those repos we know. cost: 1 statement."""
    if revs:
        await repo.raise_applied(session, revs)


async def note_home(session: Session, did: Did, pds_url: str) -> None:
    """Write down where a repo lives, as its DID document says."""
    await repo.upsert_home(session, did, pds_url)


async def welcome(session: Session, did: Did, pds_url: str) -> None:
    """Somebody signed in: know their repo, fetch what it holds the first time, and look again if it was hidden."""
    await repo.upsert_home(session, did, pds_url)
    known = await repo.find(session, did)
    if known is not None and known.status != "active":
        await request_check(session, did, status="active", said_by="sign-in")
    if known is None or known.backfilled_at is None:
        await request_reconcile(session, did)


async def request_reconcile(session: Session, did: Did, *, force: bool = False) -> None:
    """Have a repo compared with the index; `force` reads it whole whatever its latest commit is."""
    await jobs.create_once(session, JobKind.RECONCILE_REPO, did, did, {"did": did, "force": force}, phase="asking")


async def request_check(session: Session, did: Did, *, status: str, said_by: str) -> None:
    """Have an account's own server asked what became of it; what somebody else said is only the occasion."""
    payload = {"did": did, "status": status, "said_by": said_by}
    await jobs.create_once(session, JobKind.CHECK_ACCOUNT, did, did, payload, phase="asking")


async def set_status(session: Session, did: Did, status: str, said_by: str) -> None:
    """Write down what a repo's own server says of it."""
    values = {"status": status, "said_by": said_by, "checked_at": utc_now(), "failures": 0, "last_error": None}
    await repo.change(session, did, values)


async def note_compared(session: Session, did: Did, rev: Rev) -> None:
    """Note that the ledger holds the whole repo as of a revision."""
    await repo.set_compared(session, did, rev, _soon())


async def note_unchanged(session: Session, did: Did) -> None:
    """Note that a repo was looked at and stands where it was."""
    await repo.set_checked(session, did, _soon())


async def distrust_all(session: Session) -> None:
    """Events were missed and nobody knows whose: every repo is due, to be read whole. cost: 1 statement."""
    await repo.distrust_all(session)


async def note_failure(session: Session, did: Did, error: str) -> None:
    """Note that a repo could not be read; it is tried again after 5 minutes, doubling up to a day."""
    await repo.set_failed(session, did, error, LONGEST_WAIT)


async def schedule_round(db: Database, limit: int = 50) -> int:
    """Ask for the comparison of some repos that are due, the longest due first; return how many."""
    async with db.begin() as session:
        due = await repo.take_due(session, limit, CHECK_EVERY)
        for did in due:
            await request_reconcile(session, did)
    return len(due)


async def list_all(db: Database) -> AsyncIterator[RepoView]:
    """Yield every repo we know, in the order of their DIDs, a page a transaction."""
    after = ""
    while True:
        async with db.begin() as session:
            found = await repo.page(session, after, _PAGE)
        for known in found:
            yield known
        if len(found) < _PAGE:
            return
        after = found[-1].did


def needs_comparison(known: RepoView, latest: Rev, *, force: bool) -> bool:
    """Tell whether a whole repo must be read: its newest commit is one we neither compared nor heard of.

    shape:  having heard of the newest does not prove that none before it was missed; so a repo that moved on is read
            all the same when its last comparison is `COMPARE_EVERY` ago
    """
    if force or known.compared_rev is None or known.compared_at is None:
        return True
    if latest == known.compared_rev:
        return False
    return latest != known.applied_rev or utc_now() - known.compared_at > COMPARE_EVERY


def _soon() -> timedelta:
    return CHECK_EVERY * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, guards nothing
