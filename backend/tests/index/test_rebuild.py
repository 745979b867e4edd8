"""the public tables made anew from the repos alone are the tables as they were, whatever happens meanwhile."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from plyr.atproto.lexicon.generated import StrongRef
from plyr.db import Database
from plyr.db.migrations import alembic_config
from plyr.index.check import check
from plyr.index.rebuild import RebuildRunning, rebuild, rebuild_repo
from plyr.index.reconcile import reconcile
from plyr.index.tables import NAMES
from plyr.jobs import service as jobs
from plyr.likes import service as likes
from plyr.runtime import Resources
from tests.index.conftest import NewForeigner
from tests.index.foreign import ForeignClient, run_due_jobs
from tests.index.test_reconcile import SUBJECT

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
async def crowd(resources: Resources, new_foreigner: NewForeigner, audio_file: Any) -> list[ForeignClient]:
    """three people with records of every kind, all in the index, one track playable."""
    people = [new_foreigner() for _ in range(3)]
    track = people[0].track(people[0].upload(audio_file("flac", seconds=1).read_bytes()), tags=["a"])
    for person in people:
        person.like(track)
        person.like(SUBJECT)
        person.comment(track, f"by {person.account.handle}")
        person.introduce("hello")
        person.collect(track, SUBJECT)
    people[1].put("like", {"subject": 7, "createdAt": "x"})
    people[2].delete(people[2].like(track)["uri"])
    for person in people:
        await reconcile(resources, person.did)
    await run_due_jobs(resources)
    return people


async def _rows(db: Database) -> Rows:
    """every public table as JSON, without when and at which revision a record was heard of."""
    found: Rows = {}
    async with db.begin() as session:
        for name in NAMES:
            drop = " - 'rev' - 'applied_at' - 'deleted_at'" if name == "records" else ""
            rows = await session.execute(text(f"select to_jsonb(t){drop} from public.{name} t order by 1"))
            found[name] = list(rows.scalars())
    return found


def _quiet(_text: str) -> None:
    """say nothing."""


async def test_rebuild_of_dropped_tables_is_equal_row_for_row(
    resources: Resources, db: Database, crowd: list[ForeignClient]
) -> None:
    before = await _rows(db)
    assert len(before["tracks"]) == 1
    assert len(before["likes"]) == 6
    async with db.begin() as session:
        await session.execute(text(f"drop table {', '.join(NAMES)}"))
    done = await rebuild(resources, db, _quiet)
    assert (done.repos, done.unread, done.buried) == (3, {}, 0)
    assert await _rows(db) == before
    assert (await check(resources, settle_s=0)).differences == []


async def test_rebuild_of_a_damaged_index_repairs_it_and_keeps_the_schema(
    resources: Resources, db: Database, crowd: list[ForeignClient], database_url: str
) -> None:
    before = await _rows(db)
    async with db.begin() as session:
        await session.execute(text("update comments set text = 'planted'"))
        await session.execute(text("delete from likes"))
        await session.execute(text("update like_counts set people = 77"))
    await rebuild(resources, db, _quiet)
    assert await _rows(db) == before
    async with db.begin() as session:
        indexes = "select indexname from pg_indexes where schemaname = 'public' and tablename = 'likes' order by 1"
        assert "ix_likes_subject_uri" in set((await session.execute(text(indexes))).scalars())
        left = "select count(*) from pg_namespace where nspname in ('rebuild', 'replaced')"
        assert await session.scalar(text(left)) == 0
    await asyncio.to_thread(command.check, alembic_config(database_url))


async def test_rebuild_tombstones_stay_and_records_gone_from_repos_are_buried(
    resources: Resources, db: Database, crowd: list[ForeignClient]
) -> None:
    async with db.begin() as session:
        tombs = "select uri from records where deleted_at is not null"
        await session.execute(text("update records set cid = null, deleted_at = now() where collection like '%.list'"))
    crowd[0].delete(crowd[0].like(SUBJECT)["uri"])
    track_uri = await _scalar(db, "select uri from tracks")
    crowd[0].delete(str(track_uri))
    done = await rebuild(resources, db, _quiet)
    assert done.buried == 1
    assert await _scalar(db, "select count(*) from tracks") == 0
    assert await _scalar(db, "select count(*) from track_sources where retired_at is null") == 0
    assert await _scalar(db, "select count(*) from media_objects where delete_after is null") == 0
    assert await _scalar(db, "select count(*) from lists") == 3
    async with db.begin() as session:
        assert str(track_uri) in set((await session.execute(text(tombs))).scalars())


async def _scalar(db: Database, query: str) -> object:
    async with db.begin() as session:
        return await session.scalar(text(query))


async def test_rebuild_while_people_read_and_write_loses_nothing_and_nobody_fails(
    resources: Resources, db: Database, crowd: list[ForeignClient]
) -> None:
    stop, reads = asyncio.Event(), 0
    wanted: set[str] = set()

    async def read() -> None:
        nonlocal reads
        while not stop.is_set():
            assert await _scalar(db, "select count(*) from tracks join profiles on did = artist_did") == 1
            reads += 1

    async def write() -> None:
        number = 0
        while not stop.is_set():
            person = crowd[number % 3]
            async with resources.db.begin() as session:
                subject = StrongRef(uri=f"at://did:plc:s/fm.plyr.dev.track/3kaaaaaaaa{number:03}", cid=SUBJECT["cid"])
                wanted.add(await likes.like(session, person.did, subject, resources.settings))
            await asyncio.to_thread(person.comment, SUBJECT, f"during {number}")
            await reconcile(resources, person.did)
            number += 1

    tasks = [asyncio.create_task(read()), asyncio.create_task(write())]
    try:
        for _ in range(2):
            await rebuild(resources, db, _quiet)
    finally:
        stop.set()
        await asyncio.gather(*tasks)
    assert reads > 10
    assert wanted <= await _uris(db, "likes")
    for person in crowd:
        await reconcile(resources, person.did, force=True)
    checked = await check(resources, settle_s=0)
    assert checked.differences == []


async def _uris(db: Database, table: str) -> set[str]:
    async with db.begin() as session:
        return set((await session.execute(text(f"select uri from {table}"))).scalars())


async def test_rebuild_killed_in_the_middle_leaves_the_index_and_can_start_again(
    resources: Resources, db: Database, crowd: list[ForeignClient]
) -> None:
    before = await _rows(db)
    environment = _environment(resources)
    argv = [sys.executable, "-m", "plyr", "index", "rebuild"]
    process = await asyncio.create_subprocess_exec(*argv, env=environment, stderr=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(60):
        while not await _scalar(db, "select to_regclass('rebuild.records') is not null"):
            await asyncio.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert await _rows(db) == before
    assert (await rebuild(resources, db, _quiet)).repos == 3
    assert await _rows(db) == before


async def test_rebuild_second_one_at_once_is_refused(resources: Resources, db: Database) -> None:
    async with db.lead("index-rebuild"):
        with pytest.raises(RebuildRunning):
            await rebuild(resources, db, _quiet)


async def test_rebuild_unreadable_repo_keeps_what_was_known(
    resources: Resources, db: Database, crowd: list[ForeignClient]
) -> None:
    crowd[1].call("com.atproto.server.deactivateAccount", {})
    before = await _rows(db)
    done = await rebuild(resources, db, _quiet)
    assert set(done.unread) == {crowd[1].did}
    assert await _rows(db) == before


async def test_rebuild_repo_alone_repairs_it_and_touches_no_other(
    resources: Resources, db: Database, crowd: list[ForeignClient]
) -> None:
    before = await _rows(db)
    async with db.begin() as session:
        await session.execute(text("update comments set text = 'planted' where did = :did"), {"did": crowd[0].did})
        await session.execute(text("delete from profiles where did = :did"), {"did": crowd[0].did})
        await session.execute(text("insert into likes select uri || '2', did, 'at://x', now() from likes"))
    others = [row for row in (await _rows(db))["likes"] if row["did"] != crowd[0].did]
    await rebuild_repo(resources, crowd[0].did)
    after = await _rows(db)
    assert after["comments"] == before["comments"]
    assert after["profiles"] == before["profiles"]
    assert after["tracks"] == before["tracks"]
    assert [row for row in after["likes"] if row["did"] != crowd[0].did] == others
    assert [row for row in after["likes"] if row["did"] == crowd[0].did] == [
        row for row in before["likes"] if row["did"] == crowd[0].did
    ]


async def test_rebuild_private_state_is_untouched(
    resources: Resources, db: Database, crowd: list[ForeignClient]
) -> None:
    private = ("artists", "track_sources", "media_objects", "repo_writes", "oauth_grants", "sessions", "uploads")
    state = {name: await _scalar(db, f"select jsonb_agg(t order by t::text) from {name} t") for name in private}
    await rebuild(resources, db, _quiet)
    async with db.begin() as session:
        assert await jobs.list_due(session) == []
    assert state == {name: await _scalar(db, f"select jsonb_agg(t order by t::text) from {name} t") for name in private}


def _environment(resources: Resources) -> dict[str, str]:
    settings = resources.settings
    return dict(os.environ) | {
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "WEB_ORIGIN": settings.web_origin,
        "ATPROTO_PLC_URL": settings.atproto_plc_url,
        "ATPROTO_HANDLE_SERVERS": settings.atproto_handle_servers,
        "ATPROTO_ALLOW_LOOPBACK": "true",
    }
