"""two writers of one record, before a real PDS: nothing is lost, and who came too late learns of it."""

import asyncio
from typing import Any

import httpx

from plyr.kit.ids import Cid, Nsid, RecordKey
from plyr.kit.tid import new_tid
from plyr.outbox import service as outbox
from plyr.outbox.views import Expectation, FailedWriteView
from tests.fixtures.delivering import NAMESPACE, SUBJECT_CID, Writer

LIST = Nsid(f"{NAMESPACE}.list")
PROFILE = Nsid(f"{NAMESPACE}.actor.profile")
MADE = "2024-01-01T00:00:00.000Z"


def _list(*names: str) -> dict[str, Any]:
    items = [{"subject": {"uri": f"at://did:plc:a/{NAMESPACE}.track/{name}", "cid": SUBJECT_CID}} for name in names]
    return {"$type": LIST, "items": items, "createdAt": MADE}


def _names(record: dict[str, Any]) -> list[str]:
    return [item["subject"]["uri"].rsplit("/", 1)[1] for item in record["items"]]


async def _put(
    writer: Writer, collection: Nsid, rkey: str, record: dict[str, Any], expects: Expectation | None = None
) -> list[FailedWriteView]:
    """want a record, deliver it, and return why it failed, if it did."""
    async with writer.resources.db.begin() as session:
        key = RecordKey(rkey)
        write_id = await outbox.put_record(session, writer.did, collection, key, record, expects=expects)
    await writer.deliver()
    async with writer.resources.db.begin() as session:
        return await outbox.list_failures(session, writer.did, write_id=write_id)


async def test_deliver_two_writers_of_a_list_late_one_is_told_and_loses_nothing(writer: Writer) -> None:
    rkey = new_tid()
    assert await _put(writer, LIST, rkey, _list("one"), "absent") == []
    seen = Cid(writer.records("list")[0]["cid"])
    writer.write_elsewhere("list", rkey, _list("one", "theirs"))
    (failure,) = await _put(writer, LIST, rkey, _list("one", "ours"), seen)
    assert failure.code == "conflict"
    assert "nothing was overwritten" in failure.detail
    standing = writer.records("list")[0]
    assert _names(standing["value"]) == ["one", "theirs"]
    assert await _put(writer, LIST, rkey, _list(*_names(standing["value"]), "ours"), Cid(standing["cid"])) == []
    assert _names(writer.records("list")[0]["value"]) == ["one", "theirs", "ours"]


async def test_deliver_expected_version_answer_lost_is_no_conflict(writer: Writer) -> None:
    rkey = new_tid()
    async with writer.resources.db.begin() as session:
        await outbox.put_record(session, writer.did, LIST, RecordKey(rkey), _list("one"), expects="absent")
    await writer.claim()
    await writer.send()
    await writer.lose()
    await writer.deliver()
    async with writer.resources.db.begin() as session:
        assert await outbox.list_failures(session, writer.did) == []
        assert await outbox.list_due_repos(session) == []
    assert len(writer.records("list")) == 1


async def test_deliver_edits_racing_another_app_every_field_of_both_is_there(writer: Writer) -> None:
    for number in range(6):
        async with writer.resources.db.begin() as session:
            edit = {"$type": PROFILE, "bio": f"bio {number}", "createdAt": MADE}
            key = RecordKey("self")
            await outbox.put_record(session, writer.did, PROFILE, key, edit, merge={"bio", "createdAt"})
        await asyncio.gather(writer.deliver(), *(asyncio.to_thread(_add_field, writer, number, part) for part in "ab"))
        await writer.deliver()
    value = writer.records("actor.profile")[0]["value"]
    assert value["bio"] == "bio 5"
    assert {f"x{number}{part}" for number in range(6) for part in "ab"} <= value.keys()


def _add_field(writer: Writer, number: int, part: str) -> None:
    """another app adds a field, as careful as we are."""
    where = {"repo": writer.account.did, "collection": str(PROFILE), "rkey": "self"}
    while True:
        found = httpx.get(f"{writer.network.pds_url}/xrpc/com.atproto.repo.getRecord", params=where)
        standing = found.json() if found.status_code == 200 else {"value": {"$type": PROFILE, "createdAt": MADE}}
        record = {**standing["value"], f"x{number}{part}": number}
        body = {**where, "record": record, "swapRecord": standing.get("cid")}
        try:
            writer.call("com.atproto.repo.putRecord", body)
        except httpx.HTTPStatusError:
            continue
        return


async def test_deliver_edit_keeps_unknown_fields_and_the_blob(writer: Writer) -> None:
    sent = httpx.post(
        f"{writer.network.pds_url}/xrpc/com.atproto.repo.uploadBlob",
        content=b"RIFF" + b"\0" * 60,
        headers={**writer.account.authorization, "content-type": "audio/wav"},
    )
    blob, rkey = sent.json()["blob"], new_tid()
    theirs = {
        "title": "old", "artist": "a", "fileType": "wav", "createdAt": MADE, "audioBlob": blob, "mood": {"deep": [1]},
        "features": [{"did": "did:plc:abcdefghijklmnopqrstuvwx", "role": "bass"}],
    }  # fmt: skip
    writer.write_elsewhere("track", rkey, theirs)
    async with writer.resources.db.begin() as session:
        collection = Nsid(f"{NAMESPACE}.track")
        edit = {"$type": collection, "title": "new"}
        await outbox.put_record(session, writer.did, collection, RecordKey(rkey), edit, merge={"title", "description"})
    await writer.deliver()
    assert writer.records("track")[0]["value"] == {**theirs, "$type": collection, "title": "new"}
