"""what is known of repos: revisions only rise, failures space out, each repo is due once a period."""

from datetime import timedelta

from plyr.db import Database
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did, Rev
from plyr.repos import service
from plyr.repos.views import RepoView

ALICE, BOB = Did("did:plc:alice"), Did("did:plc:bob")


async def _known(db: Database, did: Did = ALICE) -> RepoView:
    async with db.begin() as session:
        known = await service.get(session, did)
    assert known is not None
    return known


async def test_note_revs_only_rise_and_only_of_repos_we_know(db: Database) -> None:
    async with db.begin() as session:
        assert await service.remember(session, [ALICE]) == [ALICE]
        assert await service.remember(session, [ALICE]) == []
        for rev in ("3kb", "3ka", "3kc", "3kb"):
            await service.note_revs(session, {ALICE: Rev(rev), BOB: Rev("3kz")})
        assert not await service.is_known(session, BOB)
    assert (await _known(db)).applied_rev == "3kc"


async def test_note_failure_waits_longer_each_time_up_to_a_day(db: Database) -> None:
    async with db.begin() as session:
        await service.remember(session, [ALICE])
    waits: list[timedelta] = []
    for _ in range(14):
        async with db.begin() as session:
            await service.note_failure(session, ALICE, "silent")
        waits.append((await _known(db)).next_check_at - utc_now())
    assert timedelta(minutes=4) < waits[0] < timedelta(minutes=6)
    assert waits[1] > waits[0] * 1.9
    assert timedelta(hours=23) < waits[-1] <= timedelta(days=1)


async def test_note_compared_makes_the_past_good(db: Database) -> None:
    async with db.begin() as session:
        await service.remember(session, [ALICE])
        await service.note_failure(session, ALICE, "silent")
        await service.note_compared(session, ALICE, Rev("3kb"))
    known = await _known(db)
    assert (known.compared_rev, known.applied_rev, known.failures) == ("3kb", "3kb", 0)
    assert known.backfilled_at is not None
    assert not service.needs_comparison(known, Rev("3kb"), force=False)
    assert service.needs_comparison(known, Rev("3kb"), force=True)
    assert service.needs_comparison(known, Rev("3kc"), force=False)


async def test_schedule_round_takes_each_repo_once_and_no_deleted_one(db: Database) -> None:
    async with db.begin() as session:
        await service.remember(session, [ALICE, BOB])
        await service.set_status(session, BOB, "deleted", "http://pds.example")
    assert await service.schedule_round(db) == 1
    assert await service.schedule_round(db) == 0
    due_in = (await _known(db)).next_check_at - utc_now()
    assert service.CHECK_EVERY * 0.7 < due_in < service.CHECK_EVERY * 1.3
