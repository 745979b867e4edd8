"""What the answer to a repo write means for what waited for it: the index, the track, the upload's job."""

from plyr.atproto.lexicon.generated import Track
from plyr.db import Session
from plyr.index import service as index
from plyr.index.sending import Sent
from plyr.index.service import Rules
from plyr.kit.ids import Rev
from plyr.kit.record_events import RecordEvent
from plyr.outbox import service as outbox
from plyr.outbox.views import PendingWrite
from plyr.tracks import service as tracks
from plyr.uploads import service as uploads

_DELETED_MEANWHILE = "the track's record was deleted elsewhere while it was being published; your audio was kept"
_ANY_REV = Rev("")


class NewsMeanwhile(Exception):
    """While a record was read, the index heard of a later version; read it again."""


async def delivered(session: Session, write: PendingWrite, sent: Sent, rules: Rules) -> None:
    """The PDS has the write: apply it, expect it back, end what waited. Again, or by two workers at once: nothing."""
    if not await outbox.settle(session, write.id):
        return
    event = sent.event
    had = await index.holds(session, event)
    news = await index.apply(session, event, rules)
    if sent.made_commit and news:
        await outbox.expect_echo(session, event.uri, event.rev)
    elif not sent.made_commit and not had and event.action == "put":
        await outbox.expect_echo(session, event.uri, _ANY_REV)
    if write.job_id is None:
        return
    track_id = await tracks.published_from(session, write.job_id)
    if track_id is None:
        await uploads.publication_refused(session, write.job_id, "deleted", _DELETED_MEANWHILE)
    else:
        await uploads.publication_succeeded(session, write.job_id, track_id)


async def refused(
    session: Session, write: PendingWrite, standing: RecordEvent, code: str, detail: str, rules: Rules
) -> None:
    """The write can never succeed: keep the reason, and show the record as it stands instead of as it was wanted.

    errors: NewsMeanwhile, the transaction is to be rolled back
    """
    if not await outbox.fail(session, write, code, detail):
        return
    if write.collection == Track.nsid(rules.namespace):
        if write.action == "delete":
            await tracks.undo_delete(session, write.uri)
        elif standing.action == "delete":
            await tracks.withdraw(session, write.uri)
    if not await index.restore(session, standing, rules):
        raise NewsMeanwhile
    if write.job_id is not None:
        await uploads.publication_refused(session, write.job_id, code, detail)


async def waits_for_owner(session: Session, write: PendingWrite, reason: str) -> None:
    """Nobody may write to this repo until its owner signs in again: park its whole line, and say so."""
    for job_id in await outbox.park(session, write.did, reason):
        await uploads.publication_waits(session, job_id)
