"""What a repo's own host says: how far it is, whether it is there, its whole content, one record, one blob.

every URL here is a stranger's choice, so all go through the guarded client.
errors of every call: UrlRefused, HostUnreachable, AnswerUnusable of the network; RepoUnavailable, HostRefused, HostBusy
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode, urlsplit

from plyr.atproto.errors import AnswerUnusable
from plyr.atproto.guarded import Answer, GuardedClient
from plyr.atproto.identity.syntax import is_did
from plyr.atproto.lexicon.formats import has_format
from plyr.atproto.sync.dag_cbor import cid_bytes
from plyr.atproto.sync.errors import DataInvalid, HostBusy, HostRefused, RepoUnavailable
from plyr.atproto.sync.repo_car import RepoCar
from plyr.kit.ids import Cid, Did, Nsid, RecordKey, Rev

MAX_REPO_BYTES = 512 * 1024 * 1024
_IN_MEMORY_BYTES = 4 * 1024 * 1024
_MAX_RECORD_BYTES = 4 * 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024
_PAGE = 500
_MAX_PAGES = 100_000
_LONGEST_WAIT_S = 3600.0
_REASONS = {
    "RepoNotFound": "not_found",
    "RepoDeactivated": "deactivated",
    "RepoTakendown": "takendown",
    "RepoSuspended": "suspended",
}


@dataclass(frozen=True, slots=True)
class LatestCommit:
    """Where a repo stands."""

    cid: Cid
    rev: Rev


@dataclass(frozen=True, slots=True)
class RepoStatus:
    """Whether a host gives a repo out; `status` says why not, `rev` where it stands if the host tells."""

    active: bool
    status: str | None
    rev: Rev | None


async def latest_commit(http: GuardedClient, pds_url: str, did: Did) -> LatestCommit:
    """Return where a repo stands. cost: one small request."""
    body = await _ask(http, pds_url, "com.atproto.sync.getLatestCommit", {"did": did})
    cid, rev = body.get("cid"), body.get("rev")
    if not isinstance(cid, str) or not isinstance(rev, str) or not has_format("tid", rev):
        raise AnswerUnusable(f"{urlsplit(pds_url).netloc} did not say where the repo stands")
    return LatestCommit(Cid(cid), Rev(rev))


async def repo_status(http: GuardedClient, pds_url: str, did: Did) -> RepoStatus:
    """Return what a host says of an account; one it does not know raises RepoUnavailable. cost: one small request."""
    body = await _ask(http, pds_url, "com.atproto.sync.getRepoStatus", {"did": did})
    active, status, rev = body.get("active"), body.get("status"), body.get("rev")
    if not isinstance(active, bool):
        raise AnswerUnusable(f"{urlsplit(pds_url).netloc} did not say whether the account is active")
    known_rev = Rev(rev) if isinstance(rev, str) and has_format("tid", rev) else None
    return RepoStatus(active, status[:64] if isinstance(status, str) else None, known_rev)


@asynccontextmanager
async def fetch_repo(
    http: GuardedClient, pds_url: str, did: Did, *, max_bytes: int = MAX_REPO_BYTES
) -> AsyncIterator[RepoCar]:
    """Fetch a whole repo and hold it open inside the block.

    shape:  beyond 4 MiB the bytes lie in a file without a name; `RepoCar.records` reads from it, block by block
    errors: see the module; DataInvalid for a CAR that is not this repo
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        url = _url(pds_url, "com.atproto.sync.getRepo", {"did": did})
        async with http.stream(url, max_bytes=max_bytes) as answer:
            await _require_success(did, answer.url, answer.status, answer.headers, answer.parts)
            async for part in answer.parts:
                file.write(part)
        repo = await asyncio.to_thread(RepoCar, cast("BinaryIO", file))
        if repo.did != did:
            raise DataInvalid(f"asked for the repo of {did}, the host gave another one")
        yield repo


async def repos_by_collection(http: GuardedClient, host_url: str, collection: Nsid) -> AsyncIterator[Did]:
    """Yield every account a relay knows to have records of a collection. cost: one request for 500 accounts."""
    cursor: str | None = None
    for _page in range(_MAX_PAGES):
        params = {"collection": collection, "limit": str(_PAGE)} | ({} if cursor is None else {"cursor": cursor})
        body = await _ask(http, host_url, "com.atproto.sync.listReposByCollection", params)
        repos = body.get("repos")
        if not isinstance(repos, list):
            raise AnswerUnusable(f"{urlsplit(host_url).netloc} did not list repos")
        for repo in repos:
            did = repo.get("did") if isinstance(repo, dict) else None
            if isinstance(did, str) and is_did(did):
                yield Did(did)
        before, cursor = cursor, body.get("cursor")
        if not isinstance(cursor, str) or not repos or cursor == before:
            return
    raise AnswerUnusable(f"{urlsplit(host_url).netloc} lists repos without an end")


async def get_record(
    http: GuardedClient, pds_url: str, did: Did, collection: Nsid, rkey: RecordKey
) -> tuple[Cid, dict[str, Any]] | None:
    """Return a record as its host gives it out, None if there is none. cost: one request."""
    params = {"repo": did, "collection": collection, "rkey": rkey}
    try:
        body = await _ask(http, pds_url, "com.atproto.repo.getRecord", params)
    except HostRefused as refused:
        if refused.error == "RecordNotFound":
            return None
        raise
    cid, value = body.get("cid"), body.get("value")
    if not isinstance(cid, str) or not isinstance(value, dict):
        raise AnswerUnusable(f"{urlsplit(pds_url).netloc} gave a record without content")
    return Cid(cid), value


async def stream_blob(
    http: GuardedClient, pds_url: str, did: Did, cid: Cid, *, max_bytes: int, deadline_s: float = 1800.0
) -> AsyncIterator[bytes]:
    """Yield a blob's bytes as they come.

    shape:  only once this has ended without an error are they the blob: the hash is known at the end
    errors: see the module; DataInvalid when the bytes are not what the CID says
    """
    expected = cid_bytes(cid)[4:]
    digest = hashlib.sha256()
    url = _url(pds_url, "com.atproto.sync.getBlob", {"did": did, "cid": cid})
    async with http.stream(url, max_bytes=max_bytes, deadline_s=deadline_s) as answer:
        await _require_success(did, answer.url, answer.status, answer.headers, answer.parts)
        async for part in answer.parts:
            digest.update(part)
            yield part
    if digest.digest() != expected:
        raise DataInvalid(f"blob {cid} holds something else than its CID says")


async def _ask(http: GuardedClient, host_url: str, nsid: str, params: Mapping[str, str]) -> dict[str, Any]:
    answer = await http.get(_url(host_url, nsid, params), deadline_s=15.0, max_bytes=_MAX_RECORD_BYTES)
    if answer.status != 200:
        raise _refusal(params.get("did") or params.get("repo") or "", answer)
    return answer.json_object()


async def _require_success(
    did: str, url: str, status: int, headers: Mapping[str, str], parts: AsyncIterator[bytes]
) -> None:
    if status == 200:
        return
    said = bytearray()
    async for part in parts:
        said += part
        if len(said) > _MAX_ERROR_BYTES:
            break
    raise _refusal(did, Answer(url, status, headers, bytes(said)))


def _refusal(did: str, answer: Answer) -> Exception:
    host = urlsplit(answer.url).netloc
    if answer.status == 429 or answer.status == 503:
        return HostBusy(host, _retry_after_s(answer.headers))
    try:
        body = answer.json_object()
    except AnswerUnusable:
        body = {}
    error, message = str(body.get("error", ""))[:100], str(body.get("message", ""))
    if error in _REASONS:
        return RepoUnavailable(did, _REASONS[error])
    return HostRefused(host, answer.status, error, message)


def _retry_after_s(headers: Mapping[str, str]) -> float:
    text = headers.get("retry-after", "")
    return min(float(text), _LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 30.0


def _url(host_url: str, nsid: str, params: Mapping[str, str]) -> str:
    return f"{host_url.rstrip('/')}/xrpc/{nsid}?{urlencode(params)}"
