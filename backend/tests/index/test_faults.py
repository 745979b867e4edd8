"""a mixed run of everything the app writes, before a PDS that fails in every way: the end is as if it never had."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.faults import (
    Exchange,
    Fault,
    FaultProxy,
    answer,
    drop_answer,
    hang,
    new_nonce,
    reset,
    too_many_requests,
)
from plyr.atproto.lexicon.generated import StrongRef
from plyr.db import Database
from plyr.kit.ids import AtUri, Did
from plyr.likes import service as likes
from plyr.outbox import service as outbox
from tests.fixtures.artist import ArtistAtWork, Product
from tests.fixtures.delivering import new_subject

AudioFile = Callable[..., Path]
CALLS = ("repo.putRecord", "repo.deleteRecord", "repo.getRecord", "sync.getLatestCommit")


def every_other(fault: Fault) -> Fault:
    """misbehave at every second request."""
    turns = 0

    async def act(exchange: Exchange) -> None:
        nonlocal turns
        turns += 1
        await (fault(exchange) if turns % 2 else exchange.pass_on())

    return act


ALWAYS: dict[str, tuple[Fault, tuple[str, ...]]] = {
    "every write done and its answer lost at first": (drop_answer(), CALLS[:2]),
    "a new nonce at every call": (new_nonce(), CALLS),
}
MIXED = (answer(500), hang(1.5), reset(), drop_answer(), new_nonce(), too_many_requests(1))


@pytest.mark.parametrize("fault", [*ALWAYS, "everything in turn"])
async def test_deliver_mixed_run_through_faults_ends_as_without_them(
    fault: str,
    faulty_product: Product,
    faulty_artist: ArtistAtWork,
    faults: FaultProxy,
    audio_file: AudioFile,
    db: Database,
) -> None:
    if fault in ALWAYS:
        trouble, calls = ALWAYS[fault]
        for call in calls:
            faults.on(call, every_other(trouble), times=float("inf"))
    else:
        for number in range(12):
            faults.on(CALLS[(number // 2) % 2], MIXED[number % len(MIXED)])
    faulty_product.start_worker()
    upload_id = await faulty_artist.upload(audio_file("mp3"), title="night bus")
    wanted = await _press_hearts(faulty_product, faulty_artist, db, random.Random(7))
    assert (await faulty_artist.ended(upload_id))["status"] == "completed"
    await _delivered(db)
    held = [record["value"]["subject"]["uri"] for record in faulty_product.records(faulty_artist.account, LIKES)]
    assert sorted(held) == sorted(wanted)
    (profile,) = faulty_product.records(faulty_artist.account, "fm.plyr.dev.actor.profile")
    assert profile["value"]["bio"] == "bio 3"
    records, tracks = faulty_product.records(faulty_artist.account), await faulty_artist.tracks()
    assert len(records) == len(tracks) == 1
    async with db.begin() as session:
        assert await outbox.list_failures(session, Did(faulty_artist.account.did)) == []


LIKES = "fm.plyr.dev.like"


async def _press_hearts(product: Product, artist: ArtistAtWork, db: Database, dice: random.Random) -> set[str]:
    """like and unlike while profile edits go out; whatever was pressed last shows at once. returns what is liked."""
    who, subjects, wanted = Did(artist.account.did), [new_subject() for _ in range(4)], set[str]()
    for turn in range(16):
        subject = dice.choice(subjects)
        async with db.begin() as session:
            if subject.uri in wanted:
                await likes.unlike(session, who, subject)
                wanted.discard(subject.uri)
            else:
                await likes.like(session, who, subject, product.settings)
                wanted.add(subject.uri)
        if turn % 4 == 0:
            bio = {"display_name": "Alice", "bio": f"bio {turn // 4}"}
            assert (await artist.http.put("/artists/me", json=bio)).status_code == 200
        await asyncio.sleep(dice.random() / 2)
        await _shows(db, who, subjects, wanted)
    return wanted


async def _shows(db: Database, who: Did, subjects: list[StrongRef], wanted: set[str]) -> None:
    async with db.begin() as session:
        shown = {subject.uri for subject in subjects if await likes.is_liked(session, who, AtUri(subject.uri))}
    assert shown == wanted


async def _delivered(db: Database) -> None:
    async with asyncio.timeout(75):
        while True:
            async with db.begin() as session:
                backlog = await outbox.measure(session)
            assert backlog.parked == 0, "no fault of these is a reason to sign in again"
            if backlog.due == 0:
                return
            await asyncio.sleep(0.1)
