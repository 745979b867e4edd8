"""the outbox: in order within a repo, one deliverer at a time, parked and resumed."""

import asyncio
import random
import time
from datetime import timedelta

from plyr.db import Database
from plyr.kit.ids import Did, Nsid, RecordKey
from plyr.outbox import service
from plyr.outbox.views import PendingWrite, WriteBudget

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
        assert await service.resume(session, ALICE) == 1
        assert await service.list_due_repos(session) == [ALICE]
    head = await _head(db, ALICE)
    assert head is not None
    assert head.rkey == "one"


async def test_claim_head_points_spent_waits_until_the_window_has_moved_on(db: Database) -> None:
    budget = WriteBudget(points=6, per=timedelta(seconds=1.2))
    for number in range(9):
        await _put(db, ALICE, f"k{number}")
    await _put(db, BOB, "other")
    taken: list[float] = []
    async with asyncio.timeout(20):
        while len(taken) < 9:
            async with db.begin() as session:
                write = await service.claim_head(session, ALICE, 5, budget)
                if write is not None:
                    await service.settle(session, write.id)
            if write is not None:
                taken.append(time.monotonic())
            elif len(taken) == 3:
                async with db.begin() as session:
                    assert await service.list_due_repos(session) == [BOB], "one account's limit is nobody else's"
            await asyncio.sleep(0.02)
    for earlier, later in zip(taken, taken[3:], strict=False):
        assert later - earlier >= 1.15, "never more than 3 puts of 2 points in a window"
    assert taken[-1] - taken[0] < 6


async def test_claim_head_of_a_fast_line_takes_deletions_for_one_point(db: Database) -> None:
    budget = WriteBudget(points=3, per=timedelta(minutes=1))
    await _put(db, ALICE, "k")
    async with db.begin() as session:
        for number in range(2):
            await service.delete_record(session, ALICE, TRACK, RecordKey(f"d{number}"))
    for expected in ("k", "d0", None):
        async with db.begin() as session:
            write = await service.claim_head(session, ALICE, 5, budget)
            assert (write.rkey if write else None) == expected
            if write:
                await service.settle(session, write.id)


async def test_cancel_put_only_of_what_was_never_sent(db: Database) -> None:
    await _put(db, ALICE, "one")
    await _put(db, ALICE, "two")
    assert await _head(db, ALICE)
    async with db.begin() as session:
        assert not await service.cancel_put(session, ALICE, TRACK, RecordKey("one"))
        assert await service.cancel_put(session, ALICE, TRACK, RecordKey("two"))
        assert not await service.cancel_put(session, ALICE, TRACK, RecordKey("two"))


async def test_put_record_many_at_once_are_numbered_in_the_order_they_commit(db: Database) -> None:
    committed: list[int] = []

    async def put(number: int) -> None:
        async with db.begin() as session:
            write_id = await service.put_record(session, ALICE, TRACK, RecordKey(f"k{number}"), {"title": "t"})
            await asyncio.sleep(random.random() / 50)
            committed.append(write_id)

    await asyncio.gather(*(put(number) for number in range(12)))
    assert committed == sorted(committed)


async def test_measure_counts_what_waits_and_what_is_parked(db: Database) -> None:
    await _put(db, ALICE, "one")
    await _put(db, BOB, "two")
    async with db.begin() as session:
        await service.park(session, BOB, "sign in again")
        backlog = await service.measure(session)
    assert (backlog.due, backlog.parked, backlog.echoes_overdue) == (1, 1, 0)
    assert 0 <= backlog.oldest_age_s < 30


async def test_fail_keeps_the_reason_for_its_caller(db: Database) -> None:
    await _put(db, ALICE, "one")
    write = await _head(db, ALICE)
    assert write is not None
    async with db.begin() as session:
        assert await service.fail(session, write, "conflict", "changed elsewhere")
        assert not await service.fail(session, write, "conflict", "changed elsewhere")
        (failure,) = await service.list_failures(session, ALICE, write_id=write.id)
        assert (failure.uri, failure.code, failure.detail) == (write.uri, "conflict", "changed elsewhere")
        assert await service.list_failures(session, BOB) == []
