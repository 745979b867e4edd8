"""gaps are found and repaired: whatever was missed, the index ends as the repo is."""

import httpx
from sqlalchemy import func, select, update

from devstack.sign_in import sign_in
from plyr.comments.models import Comment
from plyr.index import service as index
from plyr.index.discover import discover
from plyr.index.models import LedgerRecord
from plyr.index.reconcile import reconcile
from plyr.jobs import service as jobs
from plyr.kit.clock import utc_now
from plyr.kit.ids import Cid, Did, Nsid, RecordKey, Rev
from plyr.kit.record_events import RecordEvent
from plyr.kit.tid import encode_tid
from plyr.likes.models import Like, LikeCount
from plyr.lists.models import ListRecord
from plyr.outbox import service as outbox
from plyr.repos import service as repos
from plyr.repos.models import Repo
from plyr.runtime import Resources
from tests.index.conftest import NewForeigner
from tests.index.foreign import CREATED, NAMESPACE, rules_of, run_due_jobs

SUBJECT = {
    "uri": "at://did:plc:someone/fm.plyr.dev.track/3kaaaaaaaaaaa",
    "cid": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
}


async def _likes(resources: Resources) -> set[str]:
    async with resources.db.begin() as session:
        return set((await session.execute(select(Like.uri))).scalars())


async def test_reconcile_records_written_behind_our_back_are_all_shown(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    liked = [app.like(SUBJECT)["uri"] for _ in range(3)]
    app.comment(SUBJECT, "here")
    app.collect(SUBJECT)
    done = await reconcile(resources, app.did)
    assert (done.compared, done.written, done.deleted) == (True, 5, 0)
    assert await _likes(resources) == set(liked)
    async with resources.db.begin() as session:
        assert await session.scalar(select(LikeCount.people)) == 1
        assert await session.scalar(select(func.count()).select_from(Comment)) == 1
        assert await session.scalar(select(func.count()).select_from(ListRecord)) == 1


async def test_reconcile_missed_edits_and_deletions_are_repaired(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    gone, kept = app.like(SUBJECT), app.collect(SUBJECT, name="before")
    await reconcile(resources, app.did)
    app.delete(gone["uri"])
    record = {"items": [], "name": "after", "createdAt": CREATED}
    app.put("list", record, kept["uri"].rpartition("/")[2])
    done = await reconcile(resources, app.did)
    assert (done.written, done.deleted) == (1, 1)
    assert await _likes(resources) == set()
    async with resources.db.begin() as session:
        assert await session.scalar(select(ListRecord.name)) == "after"
        assert await session.scalar(select(LikeCount.people)) is None


async def test_reconcile_repo_that_did_not_move_is_not_read(resources: Resources, new_foreigner: NewForeigner) -> None:
    app = new_foreigner()
    app.like(SUBJECT)
    assert (await reconcile(resources, app.did)).compared
    assert not (await reconcile(resources, app.did)).compared
    assert (await reconcile(resources, app.did, force=True)).compared


async def test_reconcile_newest_heard_of_but_one_before_it_missed_is_found_at_the_next_full_comparison(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    await reconcile(resources, app.did)
    missed = app.like(SUBJECT)
    elsewhere = {"repo": app.did, "collection": "app.else.where", "rkey": "self", "record": {}}
    newest = app.call("com.atproto.repo.putRecord", elsewhere)
    async with resources.db.begin() as session:
        await repos.note_revs(session, {app.did: Rev(newest["commit"]["rev"])})
    assert not (await reconcile(resources, app.did)).compared
    async with resources.db.begin() as session:
        long_ago = utc_now() - repos.COMPARE_EVERY
        await session.execute(update(Repo).where(Repo.did == app.did).values(compared_at=long_ago))
    assert (await reconcile(resources, app.did)).written == 1
    assert await _likes(resources) == {missed["uri"]}


async def test_reconcile_newer_news_in_the_ledger_wins(resources: Resources, new_foreigner: NewForeigner) -> None:
    app = new_foreigner()
    uri = app.like(SUBJECT)["uri"]
    future = Rev(encode_tid(4_000_000_000_000_000, 0))
    collection, rkey = Nsid(uri.split("/")[3]), RecordKey(uri.split("/")[4])
    async with resources.db.begin() as session:
        event = RecordEvent(app.did, future, collection, rkey, "delete")
        await index.apply_batch(session, [event], rules_of(resources))
    await reconcile(resources, app.did)
    assert await _likes(resources) == set()


async def test_reconcile_deletion_on_its_way_stays_wanted(resources: Resources, new_foreigner: NewForeigner) -> None:
    app = new_foreigner()
    uri = app.like(SUBJECT)["uri"]
    async with resources.db.begin() as session:
        await outbox.delete_record(session, app.did, Nsid(uri.split("/")[3]), RecordKey(uri.split("/")[4]))
    await reconcile(resources, app.did)
    assert await _likes(resources) == set()


async def test_reconcile_hostile_records_are_in_the_ledger_and_show_nowhere(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    app.put("like", {"subject": "not a reference", "createdAt": CREATED})
    app.put("comment", {"subject": SUBJECT, "text": "x" * 100_000, "timestampMs": 0, "createdAt": CREATED})
    app.put("comment", {"subject": SUBJECT, "text": "late", "timestampMs": 0, "createdAt": "2999-01-01T00:00:00Z"})
    app.call(
        "com.atproto.repo.putRecord",
        {"repo": app.did, "collection": "fm.plyr.like", "rkey": "3kaaaaaaaaaaa", "record": {"subject": SUBJECT}},
    )
    await reconcile(resources, app.did)
    async with resources.db.begin() as session:
        rejected = (await session.execute(select(LedgerRecord.rejected).order_by(LedgerRecord.rejected))).scalars()
        assert [reason for reason in rejected if reason] == ["invalid: subject", "invalid: text"]
        shown = (await session.execute(select(Comment.text, Comment.created_at))).all()
    assert [row.text for row in shown] == ["late"]
    assert shown[0].created_at <= utc_now()
    assert await _likes(resources) == set()


async def test_sign_in_first_time_backfills_what_the_repo_held_before(
    resources: Resources, client: httpx.AsyncClient, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    liked = app.like(SUBJECT)
    await sign_in(client, app.account.handle)
    assert await _likes(resources) == set()
    [job] = await run_due_jobs(resources)
    assert (job.kind, job.status) == ("reconcile_repo", "completed")
    assert await _likes(resources) == {liked["uri"]}
    await sign_in(client, app.account.handle)
    assert await run_due_jobs(resources) == []


async def test_schedule_due_repos_are_compared_each_once_a_period(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    apps = [new_foreigner() for _ in range(3)]
    liked = {app.like(SUBJECT)["uri"] for app in apps}
    async with resources.db.begin() as session:
        await repos.remember(session, [app.did for app in apps])
    assert await repos.schedule_round(resources.db, limit=2) == 2
    assert await repos.schedule_round(resources.db, limit=2) == 1
    assert await repos.schedule_round(resources.db) == 0
    await run_due_jobs(resources)
    assert await _likes(resources) == liked


async def test_reconcile_silent_host_changes_nothing_and_is_asked_again_later(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    ghost = Did("did:web:127.0.0.1%3A1")
    async with resources.db.begin() as session:
        event = RecordEvent(
            ghost, Rev("3kaaaaaaaaaaa"), Nsid(f"{NAMESPACE}.like"), RecordKey("3kaaaaaaaaaaa"), "put", Cid("c"),
            {"$type": f"{NAMESPACE}.like", "subject": SUBJECT, "createdAt": CREATED},
        )  # fmt: skip
        await index.apply_batch(session, [event], rules_of(resources))
        await repos.request_reconcile(session, ghost)
    [job] = await run_due_jobs(resources)
    assert (job.status, job.error_code) == ("failed", "provider_unreachable")
    assert len(await _likes(resources)) == 1
    async with resources.db.begin() as session:
        known = await repos.get(session, ghost)
        assert await jobs.list_due(session) == []
    assert known is not None
    assert (known.failures, known.status) == (1, "active")
    assert known.next_check_at > utc_now()


async def test_discover_host_without_an_index_by_collection_tells_who_uses_ours(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    user, stranger = new_foreigner(), new_foreigner()
    liked = user.like(SUBJECT)
    done = await discover(resources, user.network.pds_url)
    assert done.new >= 1
    async with resources.db.begin() as session:
        assert await repos.is_known(session, user.did)
        assert not await repos.is_known(session, stranger.did)
        await repos.request_reconcile(session, user.did)
    await reconcile(resources, user.did)
    assert liked["uri"] in await _likes(resources)
