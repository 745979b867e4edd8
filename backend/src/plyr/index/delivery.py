"""Delivering the outbox: one repo's writes to its PDS, in order, each to exactly one effect."""

import asyncio

from plyr.atproto.lexicon.generated import Track
from plyr.auth.errors import GrantMissing, PdsRefused, PdsUnreachable, RateLimited
from plyr.db import Database
from plyr.index import settling
from plyr.index.resources import DeliveryResources
from plyr.index.sending import Sent, WriteConflict, read_standing, says_it, send
from plyr.index.service import Rules
from plyr.kit.ids import Did
from plyr.outbox import service as outbox
from plyr.outbox.views import PendingWrite, WriteBudget
from plyr.telemetry import delivering as telemetry

_RETRIABLE = frozenset({408, 425})
_NEEDS_OWNER = frozenset({401, 403})
_NONCE = "use_dpop_nonce"
_CONFLICT = (
    "this was changed elsewhere meanwhile, so your change was not made and nothing was overwritten; "
    "look at it as it is now, and change it again"
)


async def deliver_repo(did: Did, resources: DeliveryResources, budget: WriteBudget = outbox.PDS_BUDGET) -> None:
    """Deliver a repo's due writes until none is left, one fails, or somebody else has the line.

    shape:  a killed or lost delivery is repeated after its lease; the record key is ours, so the PDS
            ends up with the same record however often it hears of it
    errors: none; what the PDS says ends in the rows
    """
    lease_s = resources.settings.job_lease_s
    while True:
        async with resources.db.begin() as session:
            write = await outbox.claim_head(session, did, lease_s, budget)
        if write is None or not await _deliver(write, resources, lease_s * 0.8):
            return


async def _deliver(write: PendingWrite, resources: DeliveryResources, deadline_s: float) -> bool:
    """Return whether the line may go on."""
    db = resources.db
    try:
        async with asyncio.timeout(deadline_s):
            return await _send(write, resources)
    except GrantMissing as error:
        await _park(db, write, error.detail)
    except RateLimited as error:
        await _later(db, write, "the PDS asked us to slow down", delay_s=error.retry_after_s)
    except (PdsUnreachable, TimeoutError) as error:
        await _later(db, write, str(error) or "no answer in time")
    except PdsRefused as error:
        await _later(db, write, f"the record could not be read: {error.detail}")
    except settling.NewsMeanwhile:
        await _later(db, write, "the record changed while we read it", delay_s=0.1)
    return False


async def _send(write: PendingWrite, resources: DeliveryResources) -> bool:
    try:
        sent = await send(write, resources)
    except WriteConflict:
        return await _refuse(write, "conflict", _CONFLICT, resources)
    except PdsRefused as error:
        if error.error == _NONCE or error.status in _RETRIABLE:
            raise PdsUnreachable(error.detail) from error
        if error.status in _NEEDS_OWNER:
            reason = f"your PDS did not accept our permission ({error.error}); sign in again to go on"
            await _park(resources.db, write, reason)
            return False
        return await _refuse(write, "provider_refused", _why(write, error, resources), resources)
    async with resources.db.begin() as session:
        await settling.delivered(session, write, sent, _rules(resources))
    return True


async def _refuse(write: PendingWrite, code: str, detail: str, resources: DeliveryResources) -> bool:
    """Take the write out of the line and show the record as it stands. Unreadable: all of it again later."""
    standing = await read_standing(write, resources)
    async with resources.db.begin() as session:
        if says_it(write, standing):
            await settling.delivered(session, write, Sent(standing, made_commit=False), _rules(resources))
            return True
        await settling.refused(session, write, standing, code, detail, _rules(resources))
    telemetry.write_refused(write.did, write.collection, code, detail)
    return True


def _why(write: PendingWrite, error: PdsRefused, resources: DeliveryResources) -> str:
    said = f"your PDS refused the record: {error.error} {error.message}".strip()
    if write.collection == Track.nsid(resources.settings.atproto_namespace):
        return f"{said}. your audio was kept; change what it complains about, or try again later"
    return f"{said}. what is in your repo was kept as it is; change what it complains about, or try again later"


def _rules(resources: DeliveryResources) -> Rules:
    return Rules(resources.settings.atproto_namespace, resources.lexicons)


async def _park(db: Database, write: PendingWrite, reason: str) -> None:
    async with db.begin() as session:
        await settling.waits_for_owner(session, write, reason)


async def _later(db: Database, write: PendingWrite, why: str, *, delay_s: float | None = None) -> None:
    telemetry.write_postponed(write.did, write.collection, write.attempts, why)
    async with db.begin() as session:
        await outbox.back_off(session, write, why, delay_s=delay_s)
