"""delivering the outbox through faults before a real PDS: one upload ends as exactly one record and one track."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from devstack.faults import Exchange, Fault, FaultProxy, answer, drop_answer, hang, new_nonce, reset, too_many_requests
from tests.fixtures.artist import ArtistAtWork, Product

PUT = "com.atproto.repo.putRecord"
AudioFile = Callable[..., Path]


async def _exactly(count: int, product: Product, artist: ArtistAtWork) -> None:
    """there are as many tracks as records, and each shows what its record says."""
    records = {record["uri"]: record for record in product.records(artist.account)}
    tracks = await artist.tracks()
    assert len(records) == len(tracks) == count
    for track in tracks:
        record = records[track["atproto_record_uri"]]
        assert (track["atproto_record_cid"], track["r2_url"]) == (record["cid"], record["value"]["audioUrl"])


FAULTS: dict[str, tuple[Fault, int]] = {
    "committed and answer lost": (drop_answer(), 1),
    "500": (answer(500), 1),
    "reset": (reset(), 2),
    "silence": (hang(0.5), 1),
    "429": (too_many_requests(1), 1),
    "new nonce": (new_nonce(), 1),
}


async def test_deliver_fault_at_the_pds_ends_as_exactly_one_track(
    faulty_product: Product,
    faulty_artist: ArtistAtWork,
    faults: FaultProxy,
    audio_file: AudioFile,
    subtests: pytest.Subtests,
) -> None:
    faulty_product.start_worker()
    await _profile_written(faulty_product, faulty_artist)
    for number, (name, (fault, times)) in enumerate(FAULTS.items(), start=1):
        with subtests.test(name):
            faults.clear()
            faults.on(PUT, fault, times=times)
            upload_id = await faulty_artist.upload(audio_file("mp3", seed=number), title=name)
            assert (await faulty_artist.ended(upload_id))["status"] == "completed"
            assert faults.count(PUT) > times
            await _exactly(number, faulty_product, faulty_artist)


async def test_deliver_worker_killed_after_the_pds_committed_next_one_ends_it(
    faulty_product: Product,
    faulty_artist: ArtistAtWork,
    faults: FaultProxy,
    audio_file: AudioFile,
) -> None:
    committed = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def commit_and_say_nothing(exchange: Exchange) -> None:
        await exchange.pass_on(deliver=False)
        loop.call_soon_threadsafe(committed.set)
        await asyncio.sleep(30)

    worker = faulty_product.start_worker()
    await _profile_written(faulty_product, faulty_artist)
    faults.on(PUT, commit_and_say_nothing)
    upload_id = await faulty_artist.upload(audio_file("flac"))
    await asyncio.wait_for(committed.wait(), 30)
    worker.cancel()
    assert len(faulty_product.records(faulty_artist.account)) == 1
    assert await faulty_artist.tracks() == []
    faulty_product.start_worker()
    assert (await faulty_artist.ended(upload_id))["status"] == "completed"
    await _exactly(1, faulty_product, faulty_artist)


async def test_deliver_pds_refuses_the_record_upload_says_why_and_retry_publishes(
    faulty_product: Product,
    faulty_artist: ArtistAtWork,
    faults: FaultProxy,
    audio_file: AudioFile,
) -> None:
    faulty_product.start_worker()
    await _profile_written(faulty_product, faulty_artist)
    faults.on(PUT, answer(400, {"error": "InvalidRequest", "message": "no such lexicon"}))
    upload_id = await faulty_artist.upload(audio_file("mp3"))
    failed = await faulty_artist.ended(upload_id)
    assert (failed["status"], failed["error_code"], failed["can_retry"]) == ("failed", "provider_refused", True)
    assert "no such lexicon" in failed["error"]
    assert "kept" in failed["error"]
    assert await faulty_artist.tracks() == []
    assert (await faulty_artist.http.post(f"/uploads/{upload_id}/retry")).status_code == 202
    assert (await faulty_artist.ended(upload_id))["status"] == "completed"
    await _exactly(1, faulty_product, faulty_artist)


async def test_deliver_grant_revoked_in_the_middle_waits_and_goes_on_at_the_next_sign_in(
    faulty_product: Product,
    faulty_artist: ArtistAtWork,
    faults: FaultProxy,
    audio_file: AudioFile,
) -> None:
    faulty_product.start_worker()
    await _profile_written(faulty_product, faulty_artist)
    dead = {"www-authenticate": 'DPoP error="invalid_token", error_description="revoked"'}
    faults.on(PUT, answer(401, {"error": "invalid_token", "message": "revoked"}, dead))
    faults.on("/oauth/token", answer(400, {"error": "invalid_grant", "error_description": "revoked"}))
    upload_id = await faulty_artist.upload(audio_file("mp3"))
    waiting = await faulty_artist.until(upload_id, lambda view: view["phase"] == "waiting_for_sign_in")
    assert waiting["status"] == "processing"
    assert "sign in" in waiting["message"]
    assert await faulty_artist.tracks() == []
    await faulty_artist.sign_in_again()
    assert (await faulty_artist.ended(upload_id))["status"] == "completed"
    await _exactly(1, faulty_product, faulty_artist)


async def test_deliver_delete_hides_at_once_and_the_record_goes(
    faulty_product: Product,
    faulty_artist: ArtistAtWork,
    faults: FaultProxy,
    audio_file: AudioFile,
) -> None:
    faulty_product.start_worker()
    upload_id = await faulty_artist.upload(audio_file("mp3"))
    track_id = (await faulty_artist.ended(upload_id))["track_id"]
    faults.on("com.atproto.repo.deleteRecord", drop_answer())
    assert (await faulty_artist.http.delete(f"/tracks/{track_id}")).status_code == 204
    assert await faulty_artist.tracks() == []
    assert (await faulty_artist.http.delete(f"/tracks/{track_id}")).status_code == 404
    async with asyncio.timeout(20):
        while faulty_product.records(faulty_artist.account):
            await asyncio.sleep(0.05)


async def test_deliver_profile_keeps_what_others_wrote_into_it(
    faulty_product: Product, faulty_artist: ArtistAtWork
) -> None:
    faulty_product.start_worker()
    await _profile_written(faulty_product, faulty_artist)
    account, network = faulty_artist.account, faulty_product.network
    theirs = {"createdAt": "2020-01-01T00:00:00.000Z", "bio": "old", "pronouns": "they/them"}
    body = {"repo": account.did, "collection": "fm.plyr.dev.actor.profile", "rkey": "self", "record": theirs}
    httpx.post(f"{network.pds_url}/xrpc/{PUT}", json=body, headers=account.authorization).raise_for_status()
    changed = await faulty_artist.http.put("/artists/me", json={"display_name": "Alice", "bio": "new"})
    assert changed.status_code == 200
    async with asyncio.timeout(20):
        while (value := faulty_product.records(account, "fm.plyr.dev.actor.profile")[0]["value"])["bio"] != "new":
            await asyncio.sleep(0.05)
    assert (value["pronouns"], value["createdAt"]) == ("they/them", "2020-01-01T00:00:00.000Z")


async def _profile_written(product: Product, artist: ArtistAtWork) -> None:
    async with asyncio.timeout(20):
        while not product.records(artist.account, "fm.plyr.dev.actor.profile"):
            await asyncio.sleep(0.05)
