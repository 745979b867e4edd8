"""what becomes of accounts: their own server is believed and nobody else, and nobody is hidden by silence."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from devstack.faults import FaultProxy, answer
from devstack.network import Network
from plyr.artists.models import Artist
from plyr.atproto.sync.events import AccountChanged, IdentityChanged, StreamEvent
from plyr.config import Settings
from plyr.index import intake
from plyr.index.models import LedgerRecord
from plyr.index.reconcile import reconcile
from plyr.jobs.views import JobView
from plyr.kit.ids import Did
from plyr.likes.models import Like
from plyr.repos import service as repos
from plyr.runtime import Resources
from plyr.tracks.models import TrackSource
from plyr.views import tracks as views
from tests.fixtures.auth import OpenApi, auth_api, settings_on
from tests.fixtures.network import StartNetwork
from tests.index.conftest import NewForeigner
from tests.index.foreign import ForeignClient, rules_of, run_due_jobs
from tests.index.moving import move, rotation_key_of, secrets_of, submit
from tests.index.test_reconcile import SUBJECT


@pytest.fixture
async def artist(resources: Resources, new_foreigner: NewForeigner, audio_file: Any) -> ForeignClient:
    """somebody with a track that plays, and a like."""
    return await _shown(resources, new_foreigner(), audio_file)


async def _shown(resources: Resources, app: ForeignClient, audio_file: Any) -> ForeignClient:
    app.track(app.upload(audio_file("flac", seconds=1).read_bytes()))
    app.like(SUBJECT)
    await reconcile(resources, app.did)
    await run_due_jobs(resources)
    assert await _feed(resources) == 1
    return app


async def _feed(resources: Resources) -> int:
    page = await views.feed(resources.db, resources.settings, limit=10, cursor=None, artist=None)
    return len(page["tracks"])


async def _hear(resources: Resources, event: AccountChanged | IdentityChanged) -> list[JobView]:
    """take one event from a stream and do what it causes."""
    async with resources.db.begin() as session:
        await intake.take(session, [StreamEvent(1, event)], rules_of(resources))
    return await run_due_jobs(resources)


async def _person(resources: Resources, did: Did) -> tuple[str | None, str | None, str | None]:
    async with resources.db.begin() as session:
        query = select(Artist.handle, Artist.hidden_because, Artist.hidden_said_by).where(Artist.did == did)
        row = (await session.execute(query)).one()
    return row.handle, row.hidden_because, row.hidden_said_by


def _administer(network: Network, method: str, body: dict[str, Any], folder: Path) -> None:
    admin = ("admin", secrets_of(network, folder)["PDS_ADMIN_PASSWORD"])
    answer = httpx.post(f"{network.pds_url}/xrpc/{method}", json=body, auth=admin, timeout=30)
    assert answer.is_success, answer.text


async def test_deactivated_is_hidden_and_kept_and_active_again_is_shown(
    resources: Resources, artist: ForeignClient
) -> None:
    artist.call("com.atproto.server.deactivateAccount", {})
    await _hear(resources, AccountChanged(artist.did, False, "deactivated"))
    assert await _feed(resources) == 0
    assert (await _person(resources, artist.did))[1:] == ("deactivated", artist.network.pds_url)
    artist.call("com.atproto.server.activateAccount")
    await _hear(resources, AccountChanged(artist.did, True, None))
    assert await _feed(resources) == 1
    assert (await _person(resources, artist.did))[1:] == (None, None)


async def test_deactivated_unheard_is_noticed_when_the_repo_is_next_compared(
    resources: Resources, artist: ForeignClient
) -> None:
    artist.call("com.atproto.server.deactivateAccount", {})
    async with resources.db.begin() as session:
        await repos.request_reconcile(session, artist.did)
    await run_due_jobs(resources)
    assert await _feed(resources) == 0
    artist.call("com.atproto.server.activateAccount")
    async with resources.db.begin() as session:
        await repos.request_reconcile(session, artist.did)
    await run_due_jobs(resources)
    assert await _feed(resources) == 1


@pytest.mark.parametrize("claim", ["deactivated", "takendown", "deleted", "suspended"])
async def test_claim_of_another_host_hides_nobody(resources: Resources, artist: ForeignClient, claim: str) -> None:
    [job] = await _hear(resources, AccountChanged(artist.did, False, claim))
    assert (job.status, job.result["status"]) == ("completed", "active")
    assert await _feed(resources) == 1


async def test_takedown_and_deletion_are_followed_and_replays_bring_nothing_back(
    open_api: OpenApi, start_network: StartNetwork, audio_file: Any, tmp_path: Path
) -> None:
    network = start_network()
    _, resources = await open_api(network)
    app = await _shown(resources, ForeignClient(network, network.new_account()), audio_file)
    subject = {"$type": "com.atproto.admin.defs#repoRef", "did": app.did}
    for applied, shown in ((True, 0), (False, 1)):
        body = {"subject": subject, "takedown": {"applied": applied, "ref": "x"}}
        _administer(network, "com.atproto.admin.updateSubjectStatus", body, tmp_path)
        await _hear(resources, AccountChanged(app.did, not applied, "takendown" if applied else None))
        assert await _feed(resources) == shown
    _administer(network, "com.atproto.admin.deleteAccount", {"did": app.did}, tmp_path)
    await _hear(resources, AccountChanged(app.did, False, "deleted"))
    assert await _feed(resources) == 0
    assert await _person(resources, app.did) == (None, "deleted", network.pds_url)
    async with resources.db.begin() as session:
        assert await session.scalar(select(func.count()).select_from(Like)) == 0
        assert await session.scalar(select(func.count()).select_from(TrackSource)) == 0
        live = select(func.count()).select_from(LedgerRecord).where(LedgerRecord.deleted_at.is_(None))
        assert await session.scalar(live) == 0
        assert await session.scalar(select(func.count()).select_from(LedgerRecord)) == 2
        kept = "select count(*) from media_objects where delete_after is null"
        assert await session.scalar(text(kept)) == 0


async def test_silent_host_hides_nobody_and_is_asked_again_later(
    open_api: OpenApi, faulty_network: Network, faults: FaultProxy, audio_file: Any
) -> None:
    _, resources = await open_api(faulty_network)
    app = await _shown(resources, ForeignClient(faulty_network, faulty_network.new_account()), audio_file)
    faults.on("com.atproto.sync.getRepoStatus", answer(500))
    [job] = await _hear(resources, AccountChanged(app.did, False, "deleted"))
    assert job.status == "failed"
    assert job.error_detail is not None
    assert "stays" in job.error_detail
    assert await _feed(resources) == 1
    async with resources.db.begin() as session:
        known = await repos.get(session, app.did)
    assert known is not None
    assert (known.status, known.failures) == ("active", 1)


async def test_handle_change_is_followed_and_an_unproven_one_becomes_null(
    resources: Resources, artist: ForeignClient
) -> None:
    assert (await _person(resources, artist.did))[0] == artist.account.handle
    renamed = f"re{artist.account.handle}"
    artist.call("com.atproto.identity.updateHandle", {"handle": renamed})
    await _hear(resources, IdentityChanged(artist.did, None))
    assert (await _person(resources, artist.did))[0] == renamed
    # while the account is away its handle points nowhere
    artist.call("com.atproto.server.deactivateAccount", {})
    await _hear(resources, IdentityChanged(artist.did, None))
    assert (await _person(resources, artist.did))[0] is None


async def test_identity_event_of_a_stranger_is_nobodys_business(resources: Resources) -> None:
    assert await _hear(resources, IdentityChanged(Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"), None)) == []


async def test_move_to_another_server_is_followed_and_only_the_new_one_is_believed(
    settings: Settings, start_network: StartNetwork, audio_file: Any, tmp_path: Path
) -> None:
    old = start_network()
    new = start_network(plc_url=old.plc_url, domain=".two.test")
    servers = f".two.test={new.pds_url},.test={old.pds_url}"
    async with auth_api(settings_on(settings, old, atproto_handle_servers=servers)) as (_, resources):
        app = await _shown(resources, ForeignClient(old, old.new_account()), audio_file)
        there = move(app, new, "moved.two.test", rotation_key_of(old, tmp_path))
        # the old server says what it must: here the account is no more
        await _hear(resources, AccountChanged(app.did, False, "deactivated"))
        assert await _feed(resources) == 1
        await _hear(resources, IdentityChanged(app.did, None))
        assert await _person(resources, app.did) == ("moved.two.test", None, None)
        there.like(SUBJECT)
        async with resources.db.begin() as session:
            await repos.request_reconcile(session, app.did)
        await run_due_jobs(resources)
        async with resources.db.begin() as session:
            assert await session.scalar(select(func.count()).select_from(Like)) == 2
            known = await repos.get(session, app.did)
        assert known is not None
        assert (known.pds_url, known.status) == (new.pds_url, "active")
        assert await _feed(resources) == 1


async def test_did_given_up_by_its_owner_is_a_deletion(
    open_api: OpenApi, start_network: StartNetwork, audio_file: Any, tmp_path: Path
) -> None:
    network = start_network()
    _, resources = await open_api(network)
    app = await _shown(resources, ForeignClient(network, network.new_account()), audio_file)
    submit(network.plc_url, app.did, {"type": "plc_tombstone"}, rotation_key_of(network, tmp_path))
    await _hear(resources, IdentityChanged(app.did, None))
    assert await _feed(resources) == 0
    assert (await _person(resources, app.did))[1] == "deleted"
