"""Delivering the outbox: one repo's writes to its PDS, in order, each to exactly one effect."""

import asyncio
from typing import Any

import structlog

from plyr.atproto.lexicon.generated import ActorProfile
from plyr.auth import pds
from plyr.auth.errors import GrantMissing, PdsRefused, PdsUnreachable, RateLimited
from plyr.config import Settings
from plyr.db import Database
from plyr.index import settling
from plyr.index.resources import DeliveryResources
from plyr.index.service import Rules
from plyr.kit.ids import Cid, Did, RecordKey, Rev
from plyr.kit.record_events import RecordEvent
from plyr.outbox import service as outbox
from plyr.outbox.views import PendingWrite

_SINGLETON = RecordKey("self")
_OUR_FIELDS = ActorProfile.field_names()

log = structlog.get_logger()


async def deliver_repo(did: Did, resources: DeliveryResources) -> None:
    """Deliver a repo's due writes until none is left, one fails, or somebody else has the line.

    shape:  a killed or lost delivery is repeated after its lease; the record key is ours, so the PDS
            ends up with the same record however often it hears of it
    errors: none; what the PDS says ends in the rows
    """
    lease_s = resources.settings.job_lease_s
    while True:
        async with resources.db.begin() as session:
            write = await outbox.claim_head(session, did, lease_s)
        if write is None or not await _deliver(write, resources, lease_s * 0.8):
            return


async def _deliver(write: PendingWrite, resources: DeliveryResources, deadline_s: float) -> bool:
    """Return whether the line may go on."""
    db, settings = resources.db, resources.settings
    try:
        async with asyncio.timeout(deadline_s):
            event = await _send(write, resources)
    except GrantMissing as error:
        async with db.begin() as session:
            await settling.waits_for_owner(session, write, error.detail)
        return False
    except RateLimited as error:
        await _later(db, write, "the PDS asked us to slow down", delay_s=error.retry_after_s)
        return False
    except (PdsUnreachable, TimeoutError) as error:
        await _later(db, write, str(error) or "no answer in time")
        return False
    except PdsRefused as error:
        return await _refused(write, error, db, settings)
    async with db.begin() as session:
        await settling.delivered(session, write, event, Rules(settings.atproto_namespace, resources.lexicons))
    return True


async def _refused(write: PendingWrite, error: PdsRefused, db: Database, settings: Settings) -> bool:
    if error.status in (401, 403):
        reason = f"your PDS did not accept our permission ({error.error}); sign in again to go on"
        async with db.begin() as session:
            await settling.waits_for_owner(session, write, reason)
        return False
    if error.error == "InvalidSwap":
        await _later(db, write, "the record changed meanwhile", delay_s=0)
        return True
    log.warning("repo_write_refused", did=write.did, collection=write.collection, error=error.error)
    detail = (
        f"your PDS refused the record: {error.error} {error.message}. your audio was kept; "
        "change what it complains about, or try again later"
    )
    async with db.begin() as session:
        await settling.refused(session, write, "provider_refused", detail, settings)
    return True


async def _later(db: Database, write: PendingWrite, why: str, *, delay_s: float | None = None) -> None:
    log.info("repo_write_postponed", did=write.did, attempts=write.attempts, why=why)
    async with db.begin() as session:
        await outbox.back_off(session, write, why, delay_s=delay_s)


async def _send(write: PendingWrite, resources: DeliveryResources) -> RecordEvent:
    body: dict[str, Any] = {"repo": write.did, "collection": write.collection, "rkey": write.rkey}
    if write.action == "delete":
        answer = await _procedure(write.did, "com.atproto.repo.deleteRecord", body, resources)
        rev = await _revision(write.did, answer, resources)
        return RecordEvent(write.did, rev, write.collection, write.rkey, "delete")
    record = write.record or {}
    if write.rkey == _SINGLETON:
        record = await _merged(write, record, body, resources)
    answer = await _procedure(write.did, "com.atproto.repo.putRecord", {**body, "record": record}, resources)
    rev = await _revision(write.did, answer, resources)
    return RecordEvent(write.did, rev, write.collection, write.rkey, "put", Cid(answer["cid"]), record)


async def _procedure(did: Did, nsid: str, body: dict[str, Any], resources: DeliveryResources) -> dict[str, Any]:
    answer = await pds.call(resources, did, "POST", nsid, json=body)
    return answer.json()


async def _revision(did: Did, answer: dict[str, Any], resources: DeliveryResources) -> Rev:
    """Return the revision a write made; a repeated write makes none, then the repo's present one stands for it."""
    if commit := answer.get("commit"):
        return Rev(commit["rev"])
    latest = await pds.call(resources, did, "GET", "com.atproto.sync.getLatestCommit", params={"did": did})
    return Rev(latest.json()["rev"])


async def _merged(
    write: PendingWrite, ours: dict[str, Any], body: dict[str, Any], resources: DeliveryResources
) -> dict[str, Any]:
    """Return our fields over the fields of others in the record as it stands, and make the write depend on that."""
    try:
        found = await pds.call(resources, write.did, "GET", "com.atproto.repo.getRecord", params=body)
    except PdsRefused as error:
        if error.error != "RecordNotFound":
            raise
        body["swapRecord"] = None
        return ours
    standing = found.json()
    body["swapRecord"] = standing["cid"]
    kept = {name: value for name, value in standing["value"].items() if name not in _OUR_FIELDS}
    return kept | ours | {"createdAt": standing["value"].get("createdAt", ours["createdAt"])}
