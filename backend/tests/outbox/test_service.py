"""the outbox: in order within a repo, one deliverer at a time, parked and resumed."""

import asyncio

from plyr.db import Database
from plyr.kit.ids import Did, Nsid, RecordKey
from plyr.outbox import service
from plyr.outbox.views import PendingWrite

ALICE, BOB = Did("did:plc:alice"), Did("did:plc:bob")
TRACK = Nsid("fm.plyr.dev.track")


async def _put(db: Database, did: Did, rkey: str) -> None:
    async with db.begin() as session:
        await service.put_record(session, did, TRACK, RecordKey(rkey), {"title": rkey})


async def _head(db: Database, did: Did, lease_s: float = 5) -> PendingWrite | None:
    async with db.begin() as session:
        return await service.claim_head(session, did, lease_s)


async def test_claim_head_second_write_waits_for_the_first(db: Database) -> None:
    await _put(db, ALICE, "one")
    await _put(db, ALICE, "two")
    first = await _head(db, ALICE)
    assert first is not None
    assert first.rkey == "one"
    assert await _head(db, ALICE) is None, "the line is held"
    async with db.begin() as session:
        assert await service.settle(session, first.id)
        assert not await service.settle(session, first.id)
    second = await _head(db, ALICE)
    assert second is not None
    assert second.rkey == "two"


async def test_claim_head_of_a_killed_worker_comes_free_after_its_lease(db: Database) -> None:
    await _put(db, ALICE, "one")
    assert await _head(db, ALICE, 0.2)
    await asyncio.sleep(0.3)
    assert await _head(db, ALICE)


async def test_back_off_whole_line_of_that_repo_waits_and_others_go_on(db: Database) -> None:
    await _put(db, ALICE, "one")
    await _put(db, ALICE, "two")
    await _put(db, BOB, "three")
    write = await _head(db, ALICE)
    assert write is not None
    async with db.begin() as session:
        await service.back_off(session, write, "no answer", delay_s=60)
        assert await service.list_due_repos(session) == [BOB]
    assert await _head(db, ALICE) is None


async def test_park_and_resume_later_writes_keep_their_order(db: Database) -> None:
    await _put(db, ALICE, "one")
    async with db.begin() as session:
        await service.park(session, ALICE, "sign in again")
    await _put(db, ALICE, "two")
    assert await _head(db, ALICE) is None
    async with db.begin() as session:
        assert await service.list_due_repos(session) == []
        assert await service.resume(session, ALICE) == 2
        assert await service.list_due_repos(session) == [ALICE]
    head = await _head(db, ALICE)
    assert head is not None
    assert head.rkey == "one"
