"""Every statement on the tables of likes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from plyr.db import Session
from plyr.db.arrays import given_rows, is_among
from plyr.db.turns import take_turns
from plyr.kit.ids import AtUri, Did
from plyr.likes.models import Like, LikeCount

_TURNS = 14
_COLUMNS = ("uri", "did", "subject_uri", "created_at")


async def upsert(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Write likes; return the subjects whose count may have changed."""
    before = await _subjects(session, [row["uri"] for row in rows])
    new = insert(Like).from_select(_COLUMNS, given_rows(Like, _COLUMNS, rows))
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[Like.uri],
            set_={"subject_uri": new.excluded.subject_uri, "created_at": new.excluded.created_at},
        )
    )
    return before | {row["subject_uri"] for row in rows}


async def remove(session: Session, uris: Sequence[AtUri]) -> set[str]:
    """Remove likes; return the subjects whose count may have changed."""
    gone = await session.execute(delete(Like).where(is_among(Like.uri, uris)).returning(Like.subject_uri))
    return set(gone.scalars())


async def _subjects(session: Session, uris: Sequence[str]) -> set[str]:
    return set((await session.execute(select(Like.subject_uri).where(is_among(Like.uri, uris)))).scalars())


async def list_of(session: Session, did: Did, subject: AtUri) -> list[AtUri]:
    """Return the like records of a person for a subject, oldest first."""
    query = select(Like.uri).where(Like.did == did, Like.subject_uri == subject)
    return [AtUri(uri) for uri in (await session.execute(query.order_by(Like.created_at, Like.uri))).scalars()]


async def recount(session: Session, subjects: Collection[str]) -> None:
    """Count the people of some subjects anew; transactions that count the same subject take turns.

    cost:   3 statements, as long as those subjects have likes; at most 512 locks
    """
    if not subjects:
        return
    await take_turns(session, _TURNS, subjects)
    people = func.count(func.distinct(Like.did))
    counted = select(Like.subject_uri, people).where(is_among(Like.subject_uri, subjects)).group_by(Like.subject_uri)
    new = insert(LikeCount).from_select(["subject_uri", "people"], counted.order_by(Like.subject_uri))
    await session.execute(
        new.on_conflict_do_update(index_elements=[LikeCount.subject_uri], set_={"people": new.excluded.people})
    )
    some = select(Like.uri).where(Like.subject_uri == LikeCount.subject_uri)
    await session.execute(delete(LikeCount).where(is_among(LikeCount.subject_uri, subjects), ~some.exists()))


async def count(session: Session, subject: AtUri) -> int:
    """Return how many people like a subject."""
    return int(await session.scalar(select(LikeCount.people).where(LikeCount.subject_uri == subject)) or 0)
