"""The one door into the index. Duplicates, reordering and replays of events all end in the same tables."""

from collections.abc import Awaitable, Callable

from plyr.artists import service as artists
from plyr.atproto.lexicon.generated import ActorProfile, Track
from plyr.db import Session
from plyr.index import repo
from plyr.index.events import RecordEvent
from plyr.tracks import service as tracks

Processor = Callable[[Session, RecordEvent], Awaitable[None]]


async def apply(session: Session, event: RecordEvent, namespace: str) -> bool:
    """Apply one event in the caller's transaction. False: old news, nothing changed.

    shape:  an event of a collection outside our namespace is old news too
    cost:   1 statement on the ledger, then what its collection's processor does
    """
    processor = _PROCESSORS.get(event.collection.removeprefix(f"{namespace}."))
    if processor is None or not event.collection.startswith(f"{namespace}."):
        return False
    if not await repo.enter(session, event):
        return False
    await processor(session, event)
    return True


async def _track(session: Session, event: RecordEvent) -> None:
    if event.action == "delete":
        await tracks.settle_deletion(session, event.uri)
    elif event.cid is not None and event.record is not None:
        await tracks.settle_record(session, event.uri, event.cid, event.record)


async def _profile(session: Session, event: RecordEvent) -> None:
    if event.record is not None:
        await artists.settle_profile(session, event.did, event.record)


_PROCESSORS: dict[str, Processor] = {Track.collection: _track, ActorProfile.collection: _profile}
