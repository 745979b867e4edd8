"""Fresh tables beside the live ones: filled by the same fold, brought up to date, and put in their place."""

from datetime import datetime

from sqlalchemy import Connection, text

from plyr.db import Base, Session
from plyr.index.tables import COUNTED, NAMES, SHOWN, TABLES, Shown
from plyr.kit.ids import AtUri, Did, Rev

FRESH, OLD = "rebuild", "replaced"
_FROM_SOURCE = ("file_id", "file_type", "duration_ms", "image_id", "visibility", "hidden_at", "upload_id")


async def begin(session: Session) -> None:
    """Make empty fresh tables beside the live ones; what a killed rebuild left is thrown away."""
    await _without_limits(session)
    await session.execute(text(f"drop schema if exists {FRESH} cascade"))
    await session.execute(text(f"drop schema if exists {OLD} cascade"))
    await session.execute(text(f"create schema {FRESH}"))
    connection = await session.connection()
    await connection.run_sync(_create, check_first=True)
    await session.execute(text(f"set local search_path to {FRESH}"))
    await connection.run_sync(_create, check_first=False)
    await session.execute(text("create table read_repos (did text primary key, rev text not null)"))


def _create(connection: Connection, *, check_first: bool) -> None:
    Base.metadata.create_all(connection, tables=list(TABLES), checkfirst=check_first)


async def enter(session: Session) -> None:
    """Let this transaction's statements work on the fresh tables, and on the live ones of everything else."""
    await session.execute(text(f"set local search_path to {FRESH}, public"))


async def note_read(session: Session, did: Did, rev: Rev) -> None:
    """Note that all of a repo is in the fresh tables as of a revision."""
    await session.execute(
        text(f"insert into {FRESH}.read_repos values (:did, :rev) on conflict (did) do update set rev = excluded.rev"),
        {"did": did, "rev": rev},
    )


async def carry_over(session: Session, since: datetime | None) -> None:
    """Bring into the fresh tables what only the live ones know.

    shape:  newer revisions and tombstones, all of repos that were not read, and the rows that our own writes on their
            way stand for; `since` bounds which changes are looked at (None: all that matters)
    """
    await _without_limits(session)
    await session.execute(text("create temp table if not exists carried (uri text primary key, did text)"))
    await session.execute(text("truncate carried"))
    recent = "p.applied_at >= :since" if since else "true"
    await session.execute(
        text(
            "insert into carried select p.uri, p.did from public.records p"
            f" left join {FRESH}.records r on r.uri = p.uri left join {FRESH}.read_repos k on k.did = p.did"
            f" where {recent} and (r.uri is null or r.rev < p.rev)"
            # of a repo that was read: live and not in it, as of an older revision, means that it is gone
            " and (k.did is null or p.deleted_at is not null or r.uri is not null or p.rev >= k.rev)"
        ),
        {"since": since} if since else {},
    )
    columns = ", ".join(column.name for column in TABLES[0].columns)
    newer = ", ".join(f"{column.name} = excluded.{column.name}" for column in TABLES[0].columns)
    await session.execute(
        text(
            f"insert into {FRESH}.records ({columns}) select {columns} from public.records"
            f" where uri in (select uri from carried) on conflict (uri) do update set {newer}"
            f" where excluded.rev > {FRESH}.records.rev"
        )
    )
    await session.execute(
        text(
            "insert into carried select 'at://' || did || '/' || collection || '/' || rkey, did from public.repo_writes"
            " on conflict (uri) do nothing"
        )
    )
    for table in SHOWN:
        await _carry_rows(session, table)
    await _carry_sources(session)


async def _carry_rows(session: Session, table: Shown) -> None:
    wanted = "select uri from carried"
    if table.key == "did":
        wanted = "select did from carried where uri like '%.actor.profile/self'"
    columns = ", ".join(column.name for column in Base.metadata.tables[table.name].columns)
    await session.execute(text(f"delete from {FRESH}.{table.name} where {table.key} in ({wanted})"))
    await session.execute(
        text(
            f"insert into {FRESH}.{table.name} ({columns}) select {columns} from public.{table.name}"
            f" where {table.key} in ({wanted})"
        )
    )


async def _carry_sources(session: Session) -> None:
    """Follow what became known of tracks' files meanwhile: copies that arrived, tracks hidden or shown."""
    columns = ", ".join(column.name for column in Base.metadata.tables["tracks"].columns)
    await session.execute(
        text(
            f"insert into {FRESH}.tracks ({columns}) select {columns} from public.tracks p"
            f" where not exists (select from {FRESH}.tracks t where t.uri = p.uri) and exists (select from"
            f" {FRESH}.records r where r.uri = p.uri and r.cid = p.cid and r.rejected is null)"
        )
    )
    changed = ", ".join(f"{name} = s.{name}" for name in _FROM_SOURCE)
    ours = ", ".join(f"t.{name}" for name in _FROM_SOURCE)
    theirs = ", ".join(f"s.{name}" for name in _FROM_SOURCE)
    await session.execute(
        text(
            f"update {FRESH}.tracks t set {changed} from public.track_sources s"
            f" where s.uri = t.uri and s.file_id is not null and ({ours}) is distinct from ({theirs})"
        )
    )


async def recount(session: Session) -> None:
    """Count anew, in the fresh tables."""
    await _without_limits(session)
    for name, (column, counting) in COUNTED.items():
        await session.execute(text(f"truncate {FRESH}.{name}"))
        counted = counting.format(likes=f"{FRESH}.likes", comments=f"{FRESH}.comments")
        await session.execute(
            text(f"insert into {FRESH}.{name} (subject_uri, {column}) {counted} group by subject_uri")
        )
    for name in NAMES:
        await session.execute(text(f"analyze {FRESH}.{name}"))


async def lock_live(session: Session, wait_ms: int) -> None:
    """Hold the live tables against everybody, or give up soon: whoever reads must not wait for us.

    errors: DBAPIError (lock not available)
    """
    await session.execute(text(f"set local lock_timeout = {int(wait_ms)}"))
    await session.execute(text(f"lock table {', '.join(f'public.{name}' for name in NAMES)} in access exclusive mode"))


async def bury_lost(session: Session) -> list[AtUri]:
    """Write tombstones for live records that their repos no longer have; return their addresses."""
    rows = await session.execute(
        text(
            f"insert into {FRESH}.records (uri, did, collection, rkey, rev, deleted_at)"
            f" select p.uri, p.did, p.collection, p.rkey, k.rev, now() from public.records p"
            f" join {FRESH}.read_repos k on k.did = p.did where p.deleted_at is null"
            f" and not exists (select from {FRESH}.records r where r.uri = p.uri) returning uri"
        )
    )
    return [AtUri(uri) for uri in rows.scalars()]


async def swap(session: Session) -> None:
    """Put the fresh tables in the place of the live ones, which go with this transaction's end."""
    await session.execute(text("set local search_path to public"))
    await session.execute(text(f"create schema {OLD}"))
    for name in NAMES:
        await session.execute(text(f"alter table public.{name} set schema {OLD}"))
        await session.execute(text(f"alter table {FRESH}.{name} set schema public"))


async def clear_away(session: Session) -> None:
    """Drop what a rebuild leaves behind."""
    await _without_limits(session)
    await session.execute(text(f"drop schema if exists {OLD} cascade"))
    await session.execute(text(f"drop schema if exists {FRESH} cascade"))


async def _without_limits(session: Session) -> None:
    await session.execute(text("set local statement_timeout = 0"))
    await session.execute(text("set local idle_in_transaction_session_timeout = 0"))
