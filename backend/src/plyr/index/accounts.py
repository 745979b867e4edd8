"""What becomes of accounts: only the server an account's DID document names is believed, and only when it answers."""

from dataclasses import dataclass

import structlog

from plyr.artists import service as artists
from plyr.atproto.errors import AtprotoError
from plyr.atproto.identity.documents import DidDocument
from plyr.atproto.identity.errors import DidNotFound, DidTombstoned
from plyr.atproto.sync import repos as hosts
from plyr.atproto.sync.errors import RepoUnavailable
from plyr.db import Session
from plyr.index import service as index
from plyr.index import tables
from plyr.index.reconcile import BATCH
from plyr.index.resources import RepairResources
from plyr.index.service import Rules
from plyr.jobs import service as jobs
from plyr.jobs.errors import JobFailed
from plyr.jobs.runner import MAX_ATTEMPTS, JobContext
from plyr.kit.at_uri import split_at_uri
from plyr.kit.ids import Did, Handle, Rev
from plyr.kit.record_events import RecordEvent
from plyr.kit.tid import new_tid
from plyr.repos import service as repos
from plyr.tracks import service as tracks

DELETED = "deleted"
_HIDING = ("deactivated", "takendown", "suspended")
_PASSING = ("desynchronized", "throttled")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an account's own server says of it; `status` None: nothing that changes what we show."""

    status: str | None
    said_by: str
    home: str | None = None


async def check_account(context: JobContext) -> None:
    """The job: ask an account's own server and follow what it says; whoever made us ask is not believed.

    errors: JobFailed when it cannot be asked: nothing changes, and the schedule asks again, later each time
    """
    did, resources = Did(context.job.payload["did"]), context.resources
    try:
        verdict = await ask(resources, did)
    except AtprotoError as error:
        async with context.db.begin() as session:
            await repos.remember(session, [did])
            await repos.note_failure(session, did, error.detail)
        detail = f"nobody who may say so could be asked about {did}: {error.detail}. what we show of it stays"
        raise JobFailed(error.code, detail) from error
    if verdict.status == DELETED:
        await drop_account(resources, did, verdict.said_by)
    async with context.db.begin() as session:
        await _follow(session, did, verdict)
        claimed = context.job.payload.get("said_by")
        result = {"status": verdict.status, "said_by": verdict.said_by, "asked_because_of": claimed}
        await jobs.complete(session, context.job.id, result)
    log.info("account_checked", did=did, status=verdict.status, said_by=verdict.said_by)


async def ask(resources: RepairResources, did: Did) -> Verdict:
    """Return what the server that is responsible now says of an account.

    shape:  gone are a DID its owner gave up and a repo its own server does not know
    errors: of the identity resolver and of the host; then nothing is known
    cost:   two small requests
    """
    try:
        home = (await resources.oauth.identities.document(did, fresh=True)).pds_url
    except DidTombstoned:
        return Verdict(DELETED, resources.settings.atproto_plc_url)
    try:
        said = await hosts.repo_status(resources.http, home, did)
    except RepoUnavailable as error:
        return Verdict(DELETED if error.reason == "not_found" else error.reason, home, home)
    if said.active:
        return Verdict("active", home, home)
    if said.status in _PASSING:
        return Verdict(None, home, home)
    return Verdict(said.status if said.status in (*_HIDING, DELETED) else "deactivated", home, home)


async def drop_account(resources: RepairResources, did: Did, said_by: str) -> None:
    """Take everything of an account out of the public tables, through the door; tombstones stay, files are given up.

    shape:  several transactions; again at any point: the same end
    """
    rules = Rules(resources.settings.atproto_namespace, resources.lexicons)
    rev = Rev(new_tid())
    async with resources.db.begin() as session:
        await tables.drop_pending(session, did)
    while True:
        async with resources.db.begin() as session:
            uris = await tables.list_standing(session, did, rules.namespace, BATCH)
            parts = [split_at_uri(uri) for uri in uris]
            gone = [RecordEvent(did, rev, collection, rkey, "delete") for _, collection, rkey in parts]
            if not gone or not (await index.apply_batch(session, gone, rules)).news:
                await tracks.forget_retired(session, did)
                break
    log.info("account_dropped", did=did, said_by=said_by)


async def _follow(session: Session, did: Did, verdict: Verdict) -> None:
    await repos.remember(session, [did])
    if verdict.home is not None:
        await repos.note_home(session, did, verdict.home)
    if verdict.status is None:
        return
    before = await repos.get(session, did)
    await repos.set_status(session, did, verdict.status, verdict.said_by)
    if verdict.status == DELETED:
        await artists.retire(session, did, verdict.said_by)
    elif verdict.status == "active":
        await artists.show(session, did)
        if before is not None and before.status != "active":
            await repos.request_reconcile(session, did, force=True)
    else:
        await artists.hide(session, did, verdict.status, verdict.said_by)


async def resolve_identity(context: JobContext) -> None:
    """The job: find out who an account is now, its handle proven in both directions, and where it lives.

    shape:  a handle that does not point back is taken away; one whose host is silent is kept if it is claimed still
    errors: what the network says, tried again; JobFailed at the last attempt
    """
    did, resources = Did(context.job.payload["did"]), context.resources
    try:
        document = await resources.oauth.identities.document(did, fresh=True)
    except DidNotFound:
        async with context.db.begin() as session:
            await repos.request_check(session, did, status="unknown", said_by="the directory of its DID")
            await jobs.complete(session, context.job.id, {"handle": None})
        return
    except AtprotoError as error:
        raise _later(context, error) from error
    silent: AtprotoError | None = None
    proven: Handle | None = None
    try:
        proven = await resources.oauth.identities.proven_handle(document, fresh=True)
    except AtprotoError as error:
        silent = error
    async with context.db.begin() as session:
        if silent is not None:
            proven = await _kept_handle(session, document)
        await _settle_home(session, document)
        await artists.remember_identity(session, did, proven, document.pds_url)
        if silent is None:
            await jobs.complete(session, context.job.id, {"handle": proven, "pds_url": document.pds_url})
    if silent is not None:
        raise _later(context, silent) from silent


async def _kept_handle(session: Session, document: DidDocument) -> Handle | None:
    known = await artists.get(session, document.did)
    return known.handle if known is not None and known.handle == document.claimed_handle else None


async def _settle_home(session: Session, document: DidDocument) -> None:
    """Follow a move to another server: the repo is compared there."""
    known = await repos.get(session, document.did)
    await repos.note_home(session, document.did, document.pds_url)
    if known is not None and known.pds_url not in (None, document.pds_url):
        await repos.request_reconcile(session, document.did)


def _later(context: JobContext, error: AtprotoError) -> Exception:
    if context.attempt < MAX_ATTEMPTS:
        return error
    detail = f"who this account is could not be found out: {error.detail}. what we knew stays"
    return JobFailed(error.code, detail)
