"""profiles: what is said is checked, kept, and wanted in the repo."""

import pytest

from plyr.artists import service
from plyr.artists.errors import ArtistNotFound, ProfileExists
from plyr.artists.service import ProfileForm
from plyr.db import Database
from plyr.errors import InvalidInput
from plyr.kit.ids import Did, Handle
from plyr.outbox import service as outbox

ALICE, BOB = Did("did:plc:alice"), Did("did:plc:bob")
NAMESPACE = "fm.plyr.dev"


async def _known(db: Database, did: Did, handle: str) -> None:
    async with db.begin() as session:
        await service.remember_identity(session, did, Handle(handle), "http://localhost:2583")


async def test_set_up_profile_first_time_makes_an_artist_and_a_record(db: Database) -> None:
    await _known(db, ALICE, "alice.test")
    async with db.begin() as session:
        artist = await service.set_up_profile(session, ALICE, ProfileForm(" Alice\n ", bio="hi"), NAMESPACE)
        write = await outbox.claim_head(session, ALICE, 5)
    assert artist.has_profile
    assert artist.name == "Alice"
    assert write is not None
    assert write.record is not None
    assert (write.rkey, write.record["bio"]) == ("self", "hi")
    assert "avatar" not in write.record


async def test_set_up_profile_second_time_is_refused(db: Database) -> None:
    await _known(db, ALICE, "alice.test")
    async with db.begin() as session:
        await service.set_up_profile(session, ALICE, ProfileForm("Alice"), NAMESPACE)
        with pytest.raises(ProfileExists):
            await service.set_up_profile(session, ALICE, ProfileForm("Alice"), NAMESPACE)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (ProfileForm("  "), "display_name"),
        (ProfileForm("x" * 65), "display_name"),
        (ProfileForm("a", bio="b" * 257), "bio"),
        (ProfileForm("a", avatar_url="http://plain.example/a.png"), "avatar_url"),
        (ProfileForm("a", support_url="javascript:alert(1)"), "support_url"),
        (ProfileForm("a", support_url="https://[broken"), "support_url"),
    ],
)
async def test_set_up_profile_bad_field_is_named(db: Database, form: ProfileForm, field: str) -> None:
    await _known(db, ALICE, "alice.test")
    async with db.begin() as session:
        with pytest.raises(InvalidInput, match=field):
            await service.set_up_profile(session, ALICE, form, NAMESPACE)


async def test_change_profile_without_one_is_not_found(db: Database) -> None:
    await _known(db, ALICE, "alice.test")
    async with db.begin() as session:
        with pytest.raises(ArtistNotFound):
            await service.change_profile(session, ALICE, ProfileForm("Alice"), NAMESPACE)


async def test_remember_identity_handle_that_moved_belongs_to_the_new_owner(db: Database) -> None:
    await _known(db, ALICE, "band.test")
    await _known(db, BOB, "band.test")
    async with db.begin() as session:
        assert (await service.require_by_handle(session, "@BAND.test")).did == BOB
        assert (await service.require(session, ALICE)).handle is None
