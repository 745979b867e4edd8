"""Likes: written by people here, followed by the index wherever they were written."""

from plyr.atproto.lexicon.generated import Like, StrongRef
from plyr.config import Settings
from plyr.db import Session
from plyr.kit.at_uri import split_at_uri
from plyr.kit.clock import utc_now
from plyr.kit.ids import AtUri, Cid, Did, Rev
from plyr.kit.record_events import Changes, RecordEvent
from plyr.kit.tid import new_tid
from plyr.likes import repo
from plyr.likes.records import like_record, like_row
from plyr.outbox import service as outbox


async def like(session: Session, who: Did, subject: StrongRef, settings: Settings) -> AtUri:
    """Like a record, shown at once and written to the person's repo in the background; return the like's address.

    shape:  somebody who likes it already, in another tab or app, keeps that one like
    """
    await outbox.lock_line(session, who)
    if liked := await repo.list_of(session, who, AtUri(subject.uri)):
        return liked[0]
    collection, rkey = Like.nsid(settings.atproto_namespace), new_tid()
    record = like_record(subject, utc_now(), settings.atproto_namespace)
    made = RecordEvent(who, Rev(""), collection, rkey, "put", Cid(""), record)
    await repo.recount(session, await repo.upsert(session, [like_row(made)]))
    await outbox.put_record(session, who, collection, rkey, record)
    return made.uri


async def unlike(session: Session, who: Did, subject: StrongRef) -> bool:
    """Take back every like of a record by this person, whichever app wrote it. False: there was none.

    shape:  a like its PDS cannot have heard of is never sent; any other is deleted there
    """
    await outbox.lock_line(session, who)
    liked = await repo.list_of(session, who, AtUri(subject.uri))
    for uri in liked:
        parts = split_at_uri(uri)
        if not await outbox.cancel_put(session, *parts):
            await outbox.delete_record(session, *parts)
    await repo.recount(session, await repo.remove(session, liked) if liked else set())
    return bool(liked)


async def is_liked(session: Session, who: Did, subject: AtUri) -> bool:
    """Tell whether somebody likes a record."""
    return bool(await repo.list_of(session, who, subject))


async def count(session: Session, subject: AtUri) -> int:
    """Return how many people like a record."""
    return await repo.count(session, subject)


async def fold(session: Session, changes: Changes) -> None:
    """Follow like records. cost: 6 statements for any number."""
    subjects = await repo.upsert(session, [like_row(event) for event in changes.puts]) if changes.puts else set[str]()
    if changes.gone:
        subjects |= await repo.remove(session, changes.gone)
    await repo.recount(session, subjects)
