"""Taking a stream over, and writing down how far it was applied."""

from dataclasses import replace

from plyr.cursors import repo
from plyr.cursors.errors import TakenOver
from plyr.cursors.views import Place
from plyr.db import Session


async def take_over(session: Session, source: str) -> Place:
    """Become the one who follows a source; returns where to go on.

    cost:   waits for the transaction its former holder has open, and so begins after everything that one applied
    """
    return await repo.take_over(session, source)


async def move(session: Session, place: Place, cursor: int | None) -> Place:
    """Write down, in the transaction that applies them, that all events up to `cursor` are applied.

    shape:  to be called first in the transaction: nobody takes over between here and its end
    errors: TakenOver
    """
    if not await repo.move(session, place, cursor):
        raise TakenOver(f"another process follows {place.source} now; what it applies counts")
    return replace(place, cursor=cursor)
