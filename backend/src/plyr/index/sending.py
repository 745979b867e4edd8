"""One repo write at its PDS: sent, merged, compared and swapped, and what the record is afterwards."""

from dataclasses import dataclass
from typing import Any, Literal

from plyr.atproto.errors import AnswerUnusable
from plyr.auth import pds
from plyr.auth.errors import PdsRefused, PdsUnreachable
from plyr.index.merging import merge_record, without_empty
from plyr.index.resources import DeliveryResources
from plyr.kit.ids import Cid, Did, Rev
from plyr.kit.record_events import RecordEvent
from plyr.outbox.views import PendingWrite

_RACES_MAX = 5


class WriteConflict(Exception):
    """The write was meant for a version of the record that is no longer the present one; nothing was written."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A write that is in the repo; without a commit it was there before, e.g. since an answer was lost."""

    event: RecordEvent
    made_commit: bool


async def send(write: PendingWrite, resources: DeliveryResources) -> Sent:
    """Bring a write to its PDS and return what the record is now. Again: the same.

    errors: WriteConflict; those of `auth.pds.call`
    cost:   one call; an edit is two, more while others write the same record; two more when nothing changed
    """
    if write.action == "delete":
        return await _finish(write, None, await _swap(write, "deleteRecord", {}, resources), resources)
    if write.merge is not None:
        return await _edit(write, write.merge, resources)
    record = without_empty(write.record or {})
    return await _finish(write, record, await _swap(write, "putRecord", {"record": record}, resources), resources)


async def read_standing(write: PendingWrite, resources: DeliveryResources) -> RecordEvent:
    """Return a write's record as it stands in its repo now, as an event.

    shape:  the revision is read first, so the record is at least as new as it says
    errors: those of `auth.pds.call`
    """
    answer = await _call(write.did, "GET", "com.atproto.sync.getLatestCommit", {"did": write.did}, resources)
    rev = Rev(_text(answer, "rev"))
    standing = await _get(write, resources)
    if standing is None:
        return RecordEvent(write.did, rev, write.collection, write.rkey, "delete")
    cid, record = standing
    return RecordEvent(write.did, rev, write.collection, write.rkey, "put", cid, record)


def says_it(write: PendingWrite, standing: RecordEvent) -> bool:
    """Tell whether a record is already as a write wants it, e.g. since an earlier answer was lost."""
    if write.action == "delete":
        return standing.action == "delete"
    return write.merge is None and standing.record == without_empty(write.record or {})


async def _swap(write: PendingWrite, verb: str, body: dict[str, Any], resources: DeliveryResources) -> dict[str, Any]:
    """Return the answer. errors: WriteConflict when another version is in the way."""
    if write.expects is not None:
        body = {**body, "swapRecord": None if write.expects == "absent" else write.expects}
    try:
        return await _procedure(write, verb, body, resources)
    except PdsRefused as refusal:
        if refusal.error != "InvalidSwap":
            raise
    raise WriteConflict


async def _edit(write: PendingWrite, fields: list[str], resources: DeliveryResources) -> Sent:
    edit = write.record or {}
    for _ in range(_RACES_MAX):
        cid, record = await _seen(write, resources)
        merged = merge_record(record, edit, fields)
        if merged == record:
            return await _finish(write, merged, None, resources)
        try:
            answer = await _procedure(write, "putRecord", {"record": merged, "swapRecord": cid}, resources)
        except PdsRefused as refusal:
            if refusal.error != "InvalidSwap":
                raise
        else:
            return await _finish(write, merged, answer, resources)
    raise PdsUnreachable("others keep changing the record")


async def _seen(write: PendingWrite, resources: DeliveryResources) -> tuple[Cid | None, dict[str, Any]]:
    """Return the record to edit. One that cannot be read counts as absent: the swap then guards it from us."""
    try:
        return await _get(write, resources) or (None, {})
    except PdsRefused:
        return None, {}


async def _finish(
    write: PendingWrite, record: dict[str, Any] | None, answer: dict[str, Any] | None, resources: DeliveryResources
) -> Sent:
    commit = (answer or {}).get("commit")
    if answer is None or not commit:
        return Sent(await read_standing(write, resources), made_commit=False)
    rev = Rev(_text(commit, "rev"))
    if record is None:
        return Sent(RecordEvent(write.did, rev, write.collection, write.rkey, "delete"), made_commit=True)
    cid = Cid(_text(answer, "cid"))
    return Sent(RecordEvent(write.did, rev, write.collection, write.rkey, "put", cid, record), made_commit=True)


async def _get(write: PendingWrite, resources: DeliveryResources) -> tuple[Cid, dict[str, Any]] | None:
    where = {"repo": write.did, "collection": write.collection, "rkey": write.rkey}
    try:
        answer = await _call(write.did, "GET", "com.atproto.repo.getRecord", where, resources)
    except PdsRefused as refusal:
        if refusal.error == "RecordNotFound":
            return None
        raise
    value = answer.get("value")
    if not isinstance(value, dict):
        raise PdsUnreachable("your server answered with something that is not a record")
    return Cid(_text(answer, "cid")), value


async def _procedure(
    write: PendingWrite, verb: str, body: dict[str, Any], resources: DeliveryResources
) -> dict[str, Any]:
    where = {"repo": write.did, "collection": write.collection, "rkey": write.rkey}
    return await _call(write.did, "POST", f"com.atproto.repo.{verb}", {**where, **body}, resources)


async def _call(
    did: Did, method: Literal["GET", "POST"], nsid: str, given: dict[str, Any], resources: DeliveryResources
) -> dict[str, Any]:
    if method == "GET":
        answer = await pds.call(resources, did, method, nsid, params=given)
    else:
        answer = await pds.call(resources, did, method, nsid, json=given)
    try:
        return answer.json()
    except AnswerUnusable as error:
        raise PdsUnreachable(error.detail) from error


def _text(answer: object, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str):
        raise PdsUnreachable(f"your server's answer lacks its {name}")
    return value
