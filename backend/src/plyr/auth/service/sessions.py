"""Sessions: who sends a request, and the end of a session."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from plyr.artists import service as artists
from plyr.auth import repo
from plyr.auth.tokens import hash_secret, new_secret
from plyr.auth.views import Caller
from plyr.db import Database, Session
from plyr.jobs import service as jobs
from plyr.jobs.kinds import JobKind
from plyr.kit.ids import Did

SESSION_TTL = timedelta(days=90)
_SEEN_EVERY = timedelta(minutes=5)
_KEEP_ENDED = timedelta(days=30)
_LONGEST_SECRET = 200


async def begin_session(session: Session, did: Did, grant_id: UUID) -> str:
    """Insert a session and return its id, which nobody can read from the database.

    units:  it ends 90 days after it was last used
    """
    session_id = new_secret()
    await repo.add_session(session, hash_secret(session_id), did, grant_id, SESSION_TTL)
    return session_id


async def resolve_session(db: Database, session_id: str) -> Caller | None:
    """Return who a session id belongs to, None if it ended or never was.

    cost:   2 queries by primary key; 1 write in five minutes
    """
    if not session_id or len(session_id) > _LONGEST_SECRET:
        return None
    id_hash = hash_secret(session_id)
    async with db.begin() as session:
        found = await repo.find_session(session, id_hash, _SEEN_EVERY)
        if found is None:
            return None
        if found.is_stale:
            await repo.touch_session(session, id_hash, SESSION_TTL)
        artist = await artists.get(session, found.did)
    handle = artist.handle if artist else None
    return Caller(found.did, handle, id_hash, found.grant_id, artist is not None and artist.has_profile)


async def end_session(db: Database, caller: Caller) -> None:
    """End a session at once and give its grant back in the background. Again: nothing."""
    async with db.begin() as session:
        grant_id = await repo.remove_session(session, caller.session_id_hash)
        await give_back(session, [grant_id] if grant_id else [])


async def forget_expired(db: Database) -> int:
    """Remove sign-ins, tokens and sessions that are over, giving back their grants; returns how many grants."""
    async with db.begin() as session:
        loose = await repo.remove_expired(session, _KEEP_ENDED)
        await give_back(session, loose)
    return len(loose)


async def give_back(session: Session, grant_ids: Sequence[UUID]) -> None:
    """Stop using grants and have the worker revoke them, as often as it takes."""
    for grant_id, did in await repo.begin_ending(session, grant_ids):
        await jobs.create(session, JobKind.REVOKE_GRANT, did, {"grant_id": str(grant_id)}, phase="revoking")
