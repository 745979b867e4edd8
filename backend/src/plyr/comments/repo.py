"""Every statement on the tables of comments."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from plyr.comments.models import Comment, CommentCount
from plyr.db import Session
from plyr.db.arrays import given_rows, is_among
from plyr.db.turns import take_turns
from plyr.kit.ids import AtUri

_TURNS = 13
_COLUMNS = ("uri", "cid", "did", "subject_uri", "text", "timestamp_ms", "created_at", "updated_at")
_CHANGING = ("cid", "subject_uri", "text", "timestamp_ms", "created_at", "updated_at")


async def upsert(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Write comments; return the subjects whose count may have changed."""
    before = await _subjects(session, [row["uri"] for row in rows])
    new = insert(Comment).from_select(_COLUMNS, given_rows(Comment, _COLUMNS, rows))
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[Comment.uri],
            set_={name: new.excluded[name] for name in _CHANGING},
        )
    )
    return before | {row["subject_uri"] for row in rows}


async def remove(session: Session, uris: Sequence[AtUri]) -> set[str]:
    """Remove comments; return the subjects whose count may have changed."""
    gone = await session.execute(delete(Comment).where(is_among(Comment.uri, uris)).returning(Comment.subject_uri))
    return set(gone.scalars())


async def _subjects(session: Session, uris: Sequence[str]) -> set[str]:
    return set((await session.execute(select(Comment.subject_uri).where(is_among(Comment.uri, uris)))).scalars())


async def recount(session: Session, subjects: Collection[str]) -> None:
    """Count the comments of some subjects anew; transactions that count the same subject take turns.

    cost:   3 statements, as long as those subjects have comments; at most 512 locks
    """
    if not subjects:
        return
    await take_turns(session, _TURNS, subjects)
    number = func.count()
    counted = (
        select(Comment.subject_uri, number).where(is_among(Comment.subject_uri, subjects)).group_by(Comment.subject_uri)
    )
    new = insert(CommentCount).from_select(["subject_uri", "comments"], counted.order_by(Comment.subject_uri))
    await session.execute(
        new.on_conflict_do_update(index_elements=[CommentCount.subject_uri], set_={"comments": new.excluded.comments})
    )
    some = select(Comment.uri).where(Comment.subject_uri == CommentCount.subject_uri)
    await session.execute(delete(CommentCount).where(is_among(CommentCount.subject_uri, subjects), ~some.exists()))
