"""Every statement on the table of repos."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from plyr.db import Session
from plyr.db.arrays import given_rows
from plyr.kit.ids import Did, Rev
from plyr.repos.models import Repo
from plyr.repos.views import RepoView

_COLUMNS = (
    Repo.did, Repo.pds_url, Repo.applied_rev, Repo.compared_rev, Repo.status, Repo.said_by, Repo.failures,
    Repo.last_error, Repo.checked_at, Repo.compared_at, Repo.backfilled_at, Repo.next_check_at,
)  # fmt: skip


async def find(session: Session, did: Did) -> RepoView | None:
    """Return a repo, None if we do not know it."""
    row = (await session.execute(select(*_COLUMNS).where(Repo.did == did))).mappings().first()
    return RepoView(**row) if row else None


async def add(session: Session, dids: Collection[Did]) -> list[Did]:
    """Insert repos; return those that are new. cost: 1 statement, no write for those we know."""
    rows = [{"did": did} for did in sorted(dids)]
    new = insert(Repo).from_select(("did",), given_rows(Repo, ("did",), rows))
    made = new.on_conflict_do_nothing(index_elements=[Repo.did]).returning(Repo.did)
    return [Did(did) for did in (await session.execute(made)).scalars()]


async def upsert_home(session: Session, did: Did, pds_url: str) -> None:
    """Write down where a repo lives."""
    row = insert(Repo).values(did=did, pds_url=pds_url)
    await session.execute(row.on_conflict_do_update(index_elements=[Repo.did], set_={"pds_url": row.excluded.pds_url}))


async def raise_applied(session: Session, revs: Mapping[Did, Rev]) -> None:
    """Note newer commits of repos we know; a commit older than what is noted changes nothing."""
    rows = [{"did": did, "applied_rev": revs[did]} for did in sorted(revs)]
    given = given_rows(Repo, ("did", "applied_rev"), rows).subquery("given")
    await session.execute(
        update(Repo)
        .where(Repo.did == given.c.did, or_(Repo.applied_rev.is_(None), Repo.applied_rev < given.c.applied_rev))
        .values(applied_rev=given.c.applied_rev)
        .execution_options(synchronize_session=False)
    )


async def change(session: Session, did: Did, values: Mapping[str, object]) -> None:
    """Change what is known of a repo."""
    await session.execute(update(Repo).where(Repo.did == did).values(**values))


async def set_compared(session: Session, did: Did, rev: Rev, next_in: timedelta) -> None:
    """Note that the whole repo was compared with the ledger at a revision."""
    await session.execute(
        update(Repo)
        .where(Repo.did == did)
        .values(
            compared_rev=rev, compared_at=func.now(), backfilled_at=func.coalesce(Repo.backfilled_at, func.now()),
            applied_rev=func.greatest(Repo.applied_rev, rev), checked_at=func.now(), failures=0, last_error=None,
            next_check_at=func.now() + next_in,
        )
    )  # fmt: skip


async def set_checked(session: Session, did: Did, next_in: timedelta) -> None:
    """Note that a repo was looked at and nothing had to be done."""
    values = {"checked_at": func.now(), "failures": 0, "last_error": None, "next_check_at": func.now() + next_in}
    await session.execute(update(Repo).where(Repo.did == did).values(**values))


async def distrust_all(session: Session) -> None:
    """Forget at which commits repos were compared, and make all of them due."""
    await session.execute(update(Repo).values(compared_rev=None, next_check_at=func.now()))


async def set_failed(session: Session, did: Did, error: str, longest: timedelta) -> None:
    """Note that a repo could not be asked; the next try comes later each time, up to `longest`."""
    wait = func.least(func.power(2, func.least(Repo.failures, 12)) * timedelta(minutes=5), longest)
    await session.execute(
        update(Repo)
        .where(Repo.did == did)
        .values(failures=Repo.failures + 1, last_error=error[:500], next_check_at=func.now() + wait)
    )


async def take_due(session: Session, limit: int, away_for: timedelta) -> list[Did]:
    """Take repos whose check is due, the longest due first, and move their next check on."""
    due = (
        select(Repo.did)
        .where(Repo.next_check_at <= func.now(), Repo.status != "deleted")
        .order_by(Repo.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    later = func.now() + away_for * (0.75 + 0.5 * func.random())
    taken = await session.execute(
        update(Repo).where(Repo.did.in_(due.scalar_subquery())).values(next_check_at=later).returning(Repo.did)
    )
    return [Did(did) for did in taken.scalars()]


async def page(session: Session, after: str, limit: int) -> list[RepoView]:
    """Return repos in the order of their DIDs."""
    rows = await session.execute(select(*_COLUMNS).where(Repo.did > after).order_by(Repo.did).limit(limit))
    return [RepoView(**row) for row in rows.mappings()]
