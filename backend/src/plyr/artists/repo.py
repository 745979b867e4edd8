"""Every statement on the artists table."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from plyr.artists.models import Artist, Profile
from plyr.artists.views import ArtistView
from plyr.db import Session
from plyr.kit.ids import Did, Handle

_COLUMNS = (
    Artist.did, Artist.handle, Artist.pds_url, Artist.display_name, Profile.bio, Profile.avatar_url,
    Artist.support_url, Artist.show_liked_on_profile, Artist.profile_at, Artist.created_at, Artist.updated_at,
)  # fmt: skip
_ACCOUNTS = select(*_COLUMNS).outerjoin(Profile, Profile.did == Artist.did)


async def find(session: Session, did: Did) -> ArtistView | None:
    """Return an account by DID."""
    row = (await session.execute(_ACCOUNTS.where(Artist.did == did))).mappings().first()
    return ArtistView(**row) if row else None


async def find_by_handle(session: Session, handle: Handle) -> ArtistView | None:
    """Return an account by its present handle."""
    row = (await session.execute(_ACCOUNTS.where(Artist.handle == handle))).mappings().first()
    return ArtistView(**row) if row else None


async def upsert_identity(session: Session, did: Did, handle: Handle | None, pds_url: str) -> None:
    """Write down who an account is now; a handle that moved is taken from its former owner."""
    if handle is not None:
        await session.execute(update(Artist).where(Artist.handle == handle, Artist.did != did).values(handle=None))
    row = insert(Artist).values(did=did, handle=handle, pds_url=pds_url)
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[Artist.did],
            set_={"handle": row.excluded.handle, "pds_url": row.excluded.pds_url, "updated_at": func.now()},
        )
    )


async def change(session: Session, did: Did, values: Mapping[str, object], *, having_profile: bool | None) -> bool:
    """Change an account, only if it has (or has no) profile where that is asked; False: no such row."""
    query = update(Artist).where(Artist.did == did)
    if having_profile is not None:
        query = query.where(Artist.profile_at.is_not(None) if having_profile else Artist.profile_at.is_(None))
    done = await session.execute(query.values(**values, updated_at=func.now()).returning(Artist.did))
    return done.first() is not None


async def ensure(session: Session, dids: Collection[Did]) -> list[Did]:
    """Insert accounts we have not met; returns the new ones."""
    rows = [{"did": did} for did in sorted(dids)]
    made = insert(Artist).values(rows).on_conflict_do_nothing(index_elements=[Artist.did]).returning(Artist.did)
    return [Did(did) for did in (await session.execute(made)).scalars()]


async def upsert_profiles(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Write what profile records say."""
    new = insert(Profile).values(list(rows))
    changing = {name: new.excluded[name] for name in ("cid", "bio", "avatar_url")}
    await session.execute(new.on_conflict_do_update(index_elements=[Profile.did], set_=changing))


async def remove_profiles(session: Session, dids: Collection[Did]) -> None:
    """Forget what profile records said."""
    await session.execute(delete(Profile).where(Profile.did.in_(dids)))
