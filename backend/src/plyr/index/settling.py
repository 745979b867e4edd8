"""What the answer to a repo write means for what waited for it: the index, the track, the upload's job."""

from plyr.atproto.lexicon.generated import Track
from plyr.config import Settings
from plyr.db import Session
from plyr.index import service as index
from plyr.index.service import Rules
from plyr.kit.at_uri import make_at_uri
from plyr.kit.record_events import RecordEvent
from plyr.outbox import service as outbox
from plyr.outbox.views import PendingWrite
from plyr.tracks import service as tracks
from plyr.uploads import service as uploads

_DELETED_MEANWHILE = "the track's record was deleted elsewhere while it was being published; your audio was kept"


async def delivered(session: Session, write: PendingWrite, event: RecordEvent, rules: Rules) -> None:
    """The PDS has the write: apply it and end what waited. Again, or by two workers at once: nothing."""
    if not await outbox.settle(session, write.id):
        return
    await index.apply(session, event, rules)
    if write.job_id is None:
        return
    track_id = await tracks.published_from(session, write.job_id)
    if track_id is None:
        await uploads.publication_refused(session, write.job_id, "deleted", _DELETED_MEANWHILE)
    else:
        await uploads.publication_succeeded(session, write.job_id, track_id)


async def refused(session: Session, write: PendingWrite, code: str, detail: str, settings: Settings) -> None:
    """The PDS will never take the write: undo what was shown in advance, and say why."""
    if not await outbox.settle(session, write.id):
        return
    if write.collection == Track.nsid(settings.atproto_namespace):
        uri = make_at_uri(write.did, write.collection, write.rkey)
        if write.action == "delete":
            await tracks.undo_delete(session, uri)
        else:
            await tracks.withdraw(session, uri)
    if write.job_id is not None:
        await uploads.publication_refused(session, write.job_id, code, detail)


async def waits_for_owner(session: Session, write: PendingWrite, reason: str) -> None:
    """Nobody may write to this repo until its owner signs in again: park its whole line, and say so."""
    for job_id in await outbox.park(session, write.did, reason):
        await uploads.publication_waits(session, job_id)
