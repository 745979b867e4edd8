"""writes a PDS will never take: what was shown in advance is taken back, with a reason its owner can read."""

import pytest

from devstack.faults import FaultProxy, answer, reset
from devstack.network import Network
from plyr.artists import service as artists
from plyr.artists.service import ProfileForm
from plyr.outbox import service as outbox
from plyr.outbox.views import FailedWriteView
from tests.fixtures.delivering import NAMESPACE, Writer, Writers, new_subject

NO = answer(400, {"error": "InvalidRequest", "message": "not today"})


@pytest.fixture
async def author(new_writer: Writers, faulty_network: Network) -> Writer:
    """somebody behind `faults`."""
    return await new_writer(faulty_network)


async def _reasons(author: Writer) -> list[FailedWriteView]:
    async with author.resources.db.begin() as session:
        return await outbox.list_failures(session, author.did)


async def test_deliver_like_refused_is_taken_back_with_the_reason(author: Writer, faults: FaultProxy) -> None:
    subject = new_subject()
    uri = await author.like(subject)
    faults.on("putRecord", NO)
    await author.deliver()
    assert await author.likes(subject) == (False, 0)
    (reason,) = await _reasons(author)
    assert (reason.uri, reason.code) == (uri, "provider_refused")
    assert "not today" in reason.detail
    await author.like(subject)
    await author.deliver()
    assert (await author.likes(subject), len(author.records("like"))) == ((True, 1), 1)


async def test_deliver_unlike_refused_shows_the_like_again(author: Writer, faults: FaultProxy) -> None:
    subject = new_subject()
    await author.like(subject)
    await author.deliver()
    await author.unlike(subject)
    assert await author.likes(subject) == (False, 0)
    faults.on("deleteRecord", NO)
    await author.deliver()
    assert await author.likes(subject) == (True, 1)
    assert [reason.action for reason in await _reasons(author)] == ["delete"]
    await author.unlike(subject)
    await author.deliver()
    assert (await author.likes(subject), author.records("like")) == ((False, 0), [])


async def test_deliver_profile_refused_shows_what_the_repo_says_and_a_later_edit_stays(
    author: Writer, faults: FaultProxy
) -> None:
    await _say(author, "first")
    await author.deliver()
    await _say(author, "refused")
    assert await _bio(author) == "refused"
    faults.on("putRecord", NO)
    await author.deliver()
    assert await _bio(author) == "first"
    await _say(author, "refused too")
    await _say(author, "last")
    faults.on("putRecord", NO)
    faults.on("putRecord", reset())
    await author.deliver()
    assert await _bio(author) == "last", "an edit still on its way shows"
    assert author.records("actor.profile")[0]["value"]["bio"] == "first"


async def test_deliver_refused_and_unreadable_is_decided_later(author: Writer, faults: FaultProxy) -> None:
    subject = new_subject()
    await author.like(subject)
    faults.on("putRecord", NO)
    faults.on("getLatestCommit", answer(500))
    await author.deliver()
    assert await author.likes(subject) == (True, 1)
    assert await _reasons(author) == []


async def test_hear_of_another_apps_edit_does_not_hide_our_own_on_its_way(author: Writer, faults: FaultProxy) -> None:
    await _say(author, "first")
    await author.deliver()
    await _say(author, "ours")
    theirs = {"bio": "theirs", "avatar": "https://example.com/a.png", "createdAt": "2024-01-01T00:00:00.000Z"}
    await author.hear(author.write_elsewhere("actor.profile", "self", theirs))
    assert await _bio(author) == "ours"
    await author.deliver()
    assert await _bio(author) == "ours"
    assert author.records("actor.profile")[0]["value"]["bio"] == "ours"


async def _say(author: Writer, bio: str) -> None:
    async with author.resources.db.begin() as session:
        form = ProfileForm("alice", bio)
        known = await artists.get(session, author.did)
        write = artists.change_profile if known and known.has_profile else artists.set_up_profile
        await write(session, author.did, form, NAMESPACE)


async def _bio(author: Writer) -> str | None:
    async with author.resources.db.begin() as session:
        return (await artists.require(session, author.did)).bio
