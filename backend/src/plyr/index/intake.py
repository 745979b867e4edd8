"""What a stream of repo events means for the index; called with the stream's cursor, in one transaction."""

from collections.abc import Sequence

from plyr.artists import service as artists
from plyr.atproto.sync.events import AccountChanged, Commit, IdentityChanged, RepoSynced, StreamEvent
from plyr.db import Session
from plyr.index import service as index
from plyr.index.service import Applied, Rules
from plyr.kit.ids import AtUri, Did, Rev
from plyr.kit.record_events import RecordEvent
from plyr.outbox import service as outbox
from plyr.repos import service as repos


async def take(session: Session, events: Sequence[StreamEvent], rules: Rules) -> Applied:
    """Apply a batch: records through the door, everything else as jobs, since asking hosts takes time.

    cost:   a handful of statements, whatever the number of commits
    """
    commits = [event.event for event in events if isinstance(event.event, Commit)]
    records = [_record(commit, number) for commit in commits for number in range(len(commit.ops))]
    applied = await index.apply_batch(session, records, rules)
    revs: dict[Did, Rev] = {}
    for commit in commits:
        revs[commit.did] = max(commit.rev, revs.get(commit.did, commit.rev))
    await repos.note_revs(session, revs)
    await outbox.note_echoes(session, _newest(records))
    for event in events:
        if not isinstance(event.event, Commit):
            await _ask_for(session, event.event)
    return applied


def _record(commit: Commit, number: int) -> RecordEvent:
    op = commit.ops[number]
    return RecordEvent(commit.did, commit.rev, op.collection, op.rkey, op.action, op.cid, op.record)


def _newest(records: Sequence[RecordEvent]) -> dict[AtUri, Rev]:
    newest: dict[AtUri, Rev] = {}
    for record in records:
        newest[record.uri] = max(record.rev, newest.get(record.uri, record.rev))
    return newest


async def _ask_for(session: Session, event: IdentityChanged | AccountChanged | RepoSynced) -> None:
    """Have somebody find out what is behind a hint; accounts we never met are nobody's business."""
    if await artists.get(session, event.did) is None and not await repos.is_known(session, event.did):
        return
    match event:
        case IdentityChanged(did=did):
            await artists.request_identity(session, did)
        case AccountChanged(did=did, active=active, status=status):
            said = "active" if active else status or "unknown"
            await repos.request_check(session, did, status=said, said_by="the stream")
        case RepoSynced(did=did):
            await repos.request_reconcile(session, did, force=True)
