"""The public tables as wholes: what they are, and every statement that compares them or empties them of one repo."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, text

from plyr.artists.models import Artist, Profile
from plyr.comments.models import Comment, CommentCount
from plyr.db import Base, Session
from plyr.index.models import LedgerRecord
from plyr.kit.ids import AtUri, Did, Rev
from plyr.likes.models import Like, LikeCount
from plyr.lists.models import ListRecord
from plyr.repos.models import Repo
from plyr.tracks.models import Track

_MODELS: tuple[type[Base], ...] = (
    LedgerRecord, Profile, Track, Like, LikeCount, Comment, CommentCount, ListRecord,
)  # fmt: skip
TABLES: tuple[Table, ...] = tuple(Base.metadata.tables[model.__tablename__] for model in _MODELS)
NAMES: tuple[str, ...] = tuple(table.name for table in TABLES)


@dataclass(frozen=True, slots=True)
class Shown:
    """A table of what records say: the column that names its rows, and the one that says whose they are."""

    name: str
    key: str
    owner: str

    @property
    def address(self) -> str:
        """The expression by which a row is found from the ledger's (uri, did)."""
        return "did" if self.key == "did" else "uri"


SHOWN = (
    Shown("tracks", "uri", "artist_did"),
    Shown("likes", "uri", "did"),
    Shown("comments", "uri", "did"),
    Shown("lists", "uri", "did"),
    Shown("profiles", "did", "did"),
)
COUNTED = {
    "like_counts": ("people", "select subject_uri, count(distinct did) from {likes} where true"),
    "comment_counts": ("comments", "select subject_uri, count(*) from {comments} where true"),
}


@dataclass(frozen=True, slots=True)
class RowPair:
    """A row as the repos have it and as the index has it; None where there is none."""

    table: str
    key: str
    expected: dict[str, Any] | None
    actual: dict[str, Any] | None


async def list_standing(session: Session, did: Did, namespace: str, limit: int) -> list[AtUri]:
    """Return addresses of everything of an account that is not deleted, what only waits to be written included."""
    shown = " union ".join(f"select uri from {table.name} where {table.owner} = :did" for table in SHOWN[:-1])
    rows = await session.execute(
        text(
            f"select uri from (select uri from records where did = :did and deleted_at is null union {shown}"
            " union select 'at://' || did || '/' || :profile from profiles where did = :did) standing"
            " order by uri limit :limit"
        ),
        {"did": did, "profile": f"{namespace}.actor.profile/self", "limit": limit},
    )
    return [AtUri(uri) for uri in rows.scalars()]


async def know_all_repos(session: Session) -> None:
    """Make a repo known for every account that has records or ever signed in."""
    await session.execute(
        text(
            f"insert into {Repo.__tablename__} (did) select did from records union select did from"
            f" {Artist.__tablename__} on conflict (did) do nothing"
        )
    )


async def make_shadows(session: Session) -> None:
    """Put empty temporary tables over the public ones until this transaction ends; the fold then writes there."""
    for name in NAMES:
        await session.execute(text(f"create temp table {name} (like public.{name} including all) on commit drop"))
    # named, so that no statement prepared for the public tables is used again
    await session.execute(text("set local search_path to pg_temp, public"))


async def compare(session: Session, did: Did, rev: Rev) -> list[RowPair]:
    """Return the rows of an account that differ from the shadows.

    shape:  records that are newer than `rev` in the ledger, or that writes are on their way to, are not compared
    """
    moving = (
        "select uri, did from public.records where did = :did and rev > :rev"
        " union select 'at://' || did || '/' || collection || '/' || rkey, did from repo_writes where did = :did"
    )
    pairs = await _differing(session, "records", "uri", "did", f"select uri from ({moving}) m", did, rev)
    for table in SHOWN:
        # a profile has no address of its own; any of its account's records on its way stands for it
        skipped = f"select m.{table.address} from ({moving}) m"
        if table.key == "did":
            skipped += " where m.uri like '%.actor.profile/self'"
        pairs += await _differing(session, table.name, table.key, table.owner, skipped, did, rev)
    return pairs


async def _differing(
    session: Session, name: str, key: str, owner: str, skipped: str, did: Did, rev: Rev
) -> list[RowPair]:
    only = " and deleted_at is null" if name == "records" else ""
    drop = " - 'rev' - 'applied_at' - 'deleted_at'" if name == "records" else ""
    rows = await session.execute(
        text(
            f"select coalesce(e.{key}, a.{key}) as key, to_jsonb(e){drop} as expected, to_jsonb(a){drop} as actual"
            f" from (select * from pg_temp.{name} where {owner} = :did{only}) e"
            f" full join (select * from public.{name} where {owner} = :did{only}) a on a.{key} = e.{key}"
            f" where to_jsonb(e){drop} is distinct from to_jsonb(a){drop}"
            f" and coalesce(e.{key}, a.{key}) not in ({skipped}) order by 1"
        ),
        {"did": did, "rev": rev},
    )
    return [RowPair(name, row.key, row.expected, row.actual) for row in rows]


async def compare_counts(session: Session, did: Did | None) -> list[RowPair]:
    """Return the counts that are not what the rows add up to, of one account's subjects or of all."""
    pairs: list[RowPair] = []
    for name, (column, counting) in COUNTED.items():
        rows_of = name.removesuffix("_counts") + "s"
        only = f" and subject_uri in (select subject_uri from {rows_of} where did = :did)" if did else ""
        expected = counting.format(likes="likes", comments="comments") + only + " group by subject_uri"
        rows = await session.execute(
            text(
                f"select coalesce(e.subject_uri, a.subject_uri) as key, e.number as expected, a.{column} as actual"
                f" from ({expected}) as e (subject_uri, number)"
                f" full join (select * from {name} where true{only}) a on a.subject_uri = e.subject_uri"
                f" where e.number is distinct from a.{column} order by 1"
            ),
            {"did": did} if did else {},
        )
        for row in rows:
            expected_row = None if row.expected is None else {column: row.expected}
            pairs.append(RowPair(name, row.key, expected_row, None if row.actual is None else {column: row.actual}))
    return pairs


async def recount_changed(session: Session, schema: str = "public") -> None:
    """Count anew the subjects of which rows and counts do not agree. cost: two scans of the counts."""
    for name, (column, counting) in COUNTED.items():
        counted = counting.format(likes=f"{schema}.likes", comments=f"{schema}.comments") + " group by subject_uri"
        await session.execute(
            text(
                f"insert into {schema}.{name} (subject_uri, {column}) {counted}"
                f" on conflict (subject_uri) do update set {column} = excluded.{column}"
                f" where {name}.{column} <> excluded.{column}"
            )
        )
        await session.execute(
            text(f"delete from {schema}.{name} c where c.subject_uri not in (select subject_uri from ({counted}) k)")
        )


async def forget_repo(session: Session, did: Did, rev: Rev) -> None:
    """Take one repo's live records up to a revision out of the tables, and rows no record stands behind.

    shape:  what our own writes on their way are to is left; files are not touched: the records come again at once
    """
    values = {"did": did, "rev": rev}
    moving = "select 'at://' || did || '/' || collection || '/' || rkey from repo_writes where did = :did"
    newer = "select uri from records where did = :did and rev > :rev and deleted_at is null"
    for table in SHOWN:
        kept = f"{table.key} not in ({moving}) and {table.key} not in ({newer})"
        if table.key == "did":
            kept = f"not exists (select from ({moving} union {newer}) k (uri) where k.uri like '%.actor.profile/self')"
        await session.execute(text(f"delete from {table.name} where {table.owner} = :did and {kept}"), values)
    await session.execute(text("delete from records where did = :did and rev <= :rev and deleted_at is null"), values)


async def drop_pending(session: Session, did: Did) -> None:
    """Forget the writes on their way to a repo that is no more."""
    await session.execute(text("delete from repo_writes where did = :did"), {"did": did})
