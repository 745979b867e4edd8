"""Every statement on the table of lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from plyr.db import Session
from plyr.kit.ids import AtUri
from plyr.lists.models import ListRecord

_CHANGING = ("cid", "list_type", "name", "description", "items", "created_at", "updated_at")


async def upsert(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write lists."""
    new = insert(ListRecord).values(list(rows))
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[ListRecord.uri], set_={name: new.excluded[name] for name in _CHANGING}
        )
    )


async def remove(session: Session, uris: Sequence[AtUri]) -> None:
    """Remove lists."""
    await session.execute(delete(ListRecord).where(ListRecord.uri.in_(uris)))
