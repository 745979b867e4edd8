"""`index check` sees every kind of difference, names its field, and says nothing of an index that is right."""

import pytest
from sqlalchemy import text

from plyr.atproto.lexicon.generated import StrongRef
from plyr.index.check import Difference, check
from plyr.index.reconcile import reconcile
from plyr.kit.at_uri import split_at_uri
from plyr.likes import service as likes
from plyr.outbox import service as outbox
from plyr.runtime import Resources
from tests.index.conftest import NewForeigner
from tests.index.foreign import ForeignClient
from tests.index.test_reconcile import SUBJECT


async def _indexed(resources: Resources, app: ForeignClient) -> None:
    app.like(SUBJECT)
    app.comment(SUBJECT, "here")
    app.collect(SUBJECT)
    app.introduce("hello")
    app.put("like", {"subject": "bad", "createdAt": "x"})
    await reconcile(resources, app.did)


async def _found(resources: Resources, app: ForeignClient) -> list[Difference]:
    return (await check(resources, app.did, settle_s=0)).differences


async def test_check_index_that_is_right_has_no_difference(resources: Resources, new_foreigner: NewForeigner) -> None:
    app = new_foreigner()
    await _indexed(resources, app)
    whole = await check(resources, settle_s=0)
    assert (whole.repos, whole.differences, whole.unread) == (1, [], {})


@pytest.mark.parametrize(
    ("damage", "table", "field"),
    [
        ("delete from likes", "likes", ""),
        ("insert into likes (uri, did, subject_uri, created_at) select uri || '2', did, subject_uri, now() from likes",
         "likes", ""),
        ("update comments set text = 'there'", "comments", "text"),
        ("update comments set created_at = created_at + interval '1 second'", "comments", "created_at"),
        ("update lists set items = '[]'", "lists", "items"),
        ("update profiles set bio = null", "profiles", "bio"),
        ("update records set cid = 'bafyother' where collection like '%.list'", "records", "cid"),
        ("update records set rejected = null", "records", "rejected"),
        ("update records set cid = null, deleted_at = now() where collection like '%.list'", "records", ""),
        ("delete from records where collection like '%.like'", "records", ""),
        ("update like_counts set people = 9", "like_counts", "people"),
        ("delete from comment_counts", "comment_counts", ""),
    ],
)  # fmt: skip
async def test_check_planted_difference_is_found_and_named(
    resources: Resources, new_foreigner: NewForeigner, damage: str, table: str, field: str
) -> None:
    app = new_foreigner()
    await _indexed(resources, app)
    async with resources.db.begin() as session:
        await session.execute(text(damage))
    assert (table, field) in {(found.table, found.field) for found in await _found(resources, app)}


async def test_check_record_the_index_never_heard_of_is_a_difference(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    await _indexed(resources, app)
    missed = app.like(SUBJECT)["uri"]
    found = await _found(resources, app)
    assert {(one.table, one.key) for one in found} == {("records", missed), ("likes", missed)}


async def test_check_writes_of_our_own_on_their_way_are_no_difference(
    resources: Resources, new_foreigner: NewForeigner
) -> None:
    app = new_foreigner()
    await _indexed(resources, app)
    taken_back = app.comment(SUBJECT, "oh")["uri"]
    async with resources.db.begin() as session:
        subject = StrongRef(uri="at://did:plc:other/fm.plyr.dev.track/3kaaaaaaaaaab", cid=SUBJECT["cid"])
        await likes.like(session, app.did, subject, resources.settings)
        await outbox.delete_record(session, *split_at_uri(taken_back))
    assert await _found(resources, app) == []


async def test_check_changes_nothing(resources: Resources, new_foreigner: NewForeigner) -> None:
    app = new_foreigner()
    missed = app.track()
    assert len(await _found(resources, app)) == 1
    async with resources.db.begin() as session:
        for table in ("records", "artists", "track_sources", "jobs"):
            assert await session.scalar(text(f"select count(*) from {table}")) == 0
    assert missed
