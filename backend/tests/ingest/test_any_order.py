"""the fold: whatever order, however often and wherever cut, the same events end in the same tables."""

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from plyr.artists import service as artists
from plyr.atproto.sync.events import Commit, StreamEvent
from plyr.cursors import service as cursors
from plyr.db import Database
from plyr.index.service import Rules
from plyr.ingest.applying import Applier
from plyr.ingest.standing import Standing
from plyr.kit.ids import Did
from tests.ingest.feeding import NAMESPACE, SUBJECT_CID, gone, key, put

PEOPLE = ("did:plc:ann", "did:plc:ben")
AT = "2026-01-01T00:00:00.000Z"
TABLES = {
    "records": "uri, did, collection, rkey, rev, cid, rejected, deleted_at is null",
    "tracks": "uri, cid, artist_did, title, tags, file_id, created_at",
    "likes": "uri, did, subject_uri, created_at",
    "like_counts": "subject_uri, people",
    "comments": "uri, cid, did, subject_uri, text, timestamp_ms, created_at",
    "comment_counts": "subject_uri, comments",
    "lists": "uri, cid, did, name, items::text, created_at",
    "profiles": "did, cid, bio, avatar_url",
}
EMPTIED = (*TABLES, "track_sources", "media_objects", "repos", "ingest_cursors")
EVENTS_MAX = 24


def _record(part: str, variant: int) -> dict[str, object]:
    subject = {"uri": f"at://{PEOPLE[0]}/{NAMESPACE}.track/{key(variant % 2)}", "cid": SUBJECT_CID}
    records: dict[str, dict[str, object]] = {
        "track": {"title": f"take {variant}", "artist": "ann", "fileType": "flac", "tags": [f"t{variant}"]},
        "like": {"subject": subject},
        "comment": {"subject": subject, "text": f"words {variant}", "timestampMs": variant},
        "list": {"name": f"list {variant}", "items": [{"subject": subject}] * (variant % 3)},
        "actor.profile": {"bio": f"bio {variant}"},
    }
    if variant == 7:  # now and then one that its lexicon refuses
        return {"createdAt": AT}
    return {"audioUrl": "https://plyr.example/a", "createdAt": AT, **records[part]}


@st.composite
def _histories(draw: st.DrawFn) -> list[Commit]:
    """what happened: writes and deletions of a few records, in the order of their revs."""
    steps = st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(("track", "like", "comment", "list", "actor.profile")),
        st.integers(0, 1),
        st.integers(0, 7),
        st.booleans(),
    )
    history = list[Commit]()
    for number, (did, part, which, variant, deletes) in enumerate(
        draw(st.lists(steps, min_size=1, max_size=EVENTS_MAX))
    ):
        rkey = "self" if part == "actor.profile" else key(which)
        history.append(
            gone(did, number, part, rkey) if deletes else put(did, number, part, rkey, _record(part, variant))
        )
    return history


async def _prepare(db: Database) -> None:
    async with db.begin() as session:
        for table in EMPTIED:
            await session.execute(text(f"delete from {table}"))
        for did in PEOPLE:
            await artists.remember_identity(session, Did(did), None, "http://localhost:2583")
            for which in (0, 1):
                uri = f"at://{did}/{NAMESPACE}.track/{key(which)}"
                file = {"uri": uri, "did": did, "file": uuid5(NAMESPACE_URL, uri).hex}
                await session.execute(text(_SOURCE), file)
        await session.execute(text(_OBJECTS))


_SOURCE = (
    "insert into track_sources (uri, artist_did, file_id, file_type, duration_ms, size_bytes, audio_sha256)"
    " values (:uri, :did, :file, 'flac', 1000, 1, :file)"
)
_OBJECTS = (
    "insert into media_objects (key, owner_kind, owner_id, content_type, size_bytes, public_at)"
    " select 'audio/' || file_id, 'track', id::text, 'audio/flac', 1, now() from track_sources"
)


async def _tables(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    async with db.begin() as session:
        return {
            table: sorted(
                (tuple(row) for row in await session.execute(text(f"select {columns} from {table}"))), key=str
            )
            for table, columns in TABLES.items()
        }


async def _tenure(db: Database, rules: Rules, stream: Sequence[Commit], upto: int, at_once: int, again: bool) -> None:
    """lead for a while: from the saved cursor (or all over), some events at a time, and end without a word."""
    async with db.begin() as session:
        place = await cursors.take_over(session, "told")
    applier = Applier(db, rules, place, Standing())
    start = 0 if again else place.cursor or 0
    events = [StreamEvent(number, event) for number, event in enumerate(stream, 1)][start:upto]
    for first in range(0, len(events), at_once):
        await applier.apply(events[first : first + at_once])


@given(data=st.data(), history=_histories())
@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_order_duplicates_replays_and_cuts_end_as_the_plain_fold(
    db: Database, rules: Rules, data: st.DataObject, history: list[Commit]
) -> None:
    await _prepare(db)
    await _tenure(db, rules, history, len(history), 1, again=True)
    plain = await _tables(db)

    repeated = data.draw(st.lists(st.sampled_from(history), max_size=8)) if history else []
    stream = data.draw(st.permutations([*history, *repeated]))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=3))
    await _prepare(db)
    for cut in sorted(cuts):
        await _tenure(db, rules, stream, cut, data.draw(st.integers(1, 9)), again=data.draw(st.booleans()))
    await _tenure(db, rules, stream, len(stream), data.draw(st.integers(1, 40)), again=False)
    assert await _tables(db) == plain
    for _ in range(2):
        await _tenure(db, rules, stream, len(stream), data.draw(st.integers(1, 40)), again=True)
    assert await _tables(db) == plain
