"""Turns: transactions that work on the same thing, one after the other."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_TAKE = text(
    "select pg_advisory_xact_lock(:space, turn) from"
    " (select distinct hashtext(name) & 511 as turn from unnest(cast(:names as text[])) name order by 1) turns"
)


async def take_turns(session: AsyncSession, space: int, names: Collection[str]) -> None:
    """Wait until no other transaction has its turn with any of these names; the turn ends with this transaction.

    shape:  `space` keeps kinds of names apart; take spaces in rising order, and there is no deadlock
    cost:   1 statement, at most 512 locks a space
    """
    await session.execute(_TAKE, {"space": space, "names": list(names)})
