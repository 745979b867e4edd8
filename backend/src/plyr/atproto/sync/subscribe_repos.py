"""A PDS's or a relay's own stream: com.atproto.sync.subscribeRepos, frames of DAG-CBOR with CAR blocks.

source: https://atproto.com/specs/event-stream, https://atproto.com/specs/sync
"""

import io
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from plyr.atproto.sync.car import Car
from plyr.atproto.sync.dag_cbor import cid_text, decode_object, decode_two, record_json
from plyr.atproto.sync.errors import CursorTooOld, DataInvalid
from plyr.atproto.sync.events import Commit, RecordOp, RepoEvent, RepoSynced, StreamEvent
from plyr.atproto.sync.live import ConnectionRefused, LiveSource, Patience
from plyr.atproto.sync.reading import read_account, read_did, read_identity, read_int, read_key, read_rev, read_time
from plyr.kit.ids import Did, Nsid, Rev

_MAX_FRAME_BYTES = 6 * 1024 * 1024
_MAX_OPS = 1000
# a single PDS may well have nothing to tell for long; pings show that it is there
_QUIET_S = 600.0
# how often a commit that does not concern us is told of, so that the cursor moves on
_CARRY_S = 1.0


def subscribe_repos(host: str, collections: Collection[Nsid], patience: Patience | None = None) -> LiveSource:
    """Return the source for one host, e.g. `wss://relay.example`; its cursors are sequence numbers of that host."""
    return LiveSource(SubscribeReposWire(collections), [host], patience or Patience(idle_s=_QUIET_S))


class SubscribeReposWire:
    """Reads frames; commits without a record of `collections` are recognized by their paths alone."""

    kind = "subscribe_repos"
    max_bytes = _MAX_FRAME_BYTES
    rewind = 0

    def __init__(self, collections: Collection[Nsid], *, carry_s: float = _CARRY_S) -> None:
        self._collections = frozenset(collections)
        self._carry_s = carry_s
        self._carried_at = 0.0

    def now(self) -> None:
        """Only the host knows its next number."""
        return

    def address(self, host: str, cursor: int | None) -> str:
        """Return the URL that continues after a sequence number."""
        query = "" if cursor is None else f"?{urlencode({'cursor': cursor})}"
        return f"{host}/xrpc/com.atproto.sync.subscribeRepos{query}"

    def read(self, message: bytes) -> StreamEvent | None:
        """Return the event of a frame. errors: see `Wire.read`."""
        kind, body = read_frame(message)
        event = self._event(kind, body)
        return None if event is None else StreamEvent(read_int(body, "seq"), event)

    def _event(self, kind: str, body: Mapping[str, Any]) -> RepoEvent | None:
        if kind == "#commit":
            return self._commit(body)
        if kind == "#identity":
            return read_identity(body)
        if kind == "#account":
            return read_account(body)
        if kind == "#sync":
            return RepoSynced(read_did(body), read_rev(body))
        if kind == "#info" and body.get("name") == "OutdatedCursor":
            raise CursorTooOld("the host no longer keeps what followed our cursor")
        return None

    def _commit(self, body: Mapping[str, Any]) -> RepoEvent | None:
        did, rev = read_did(body, "repo"), read_rev(body)
        if body.get("tooBig") or body.get("rebase"):
            return RepoSynced(did, rev)
        try:
            ours = [op for op in commit_ops(body) if op["path"].partition("/")[0] in self._collections]
            if not ours:
                return self._carry(did, rev, body)
            return Commit(did, rev, read_records(did, rev, body, ours), read_time(body))
        except DataInvalid:
            # its records cannot be taken from here; the repo itself has them
            return RepoSynced(did, rev)

    def _carry(self, did: Did, rev: Rev, body: Mapping[str, Any]) -> Commit | None:
        now = time.monotonic()
        if now - self._carried_at < self._carry_s:
            return None
        self._carried_at = now
        return Commit(did, rev, (), read_time(body))


def read_frame(message: bytes) -> tuple[str, Mapping[str, Any]]:
    """Return a frame's type, such as `#commit`, and its body; "" for a frame of a later protocol.

    errors: DataInvalid; CursorTooOld and ConnectionRefused for frames that are errors
    """
    header, body = decode_two(message)
    if not isinstance(header, dict) or not isinstance(body, dict):
        raise DataInvalid("a frame's header or body is not a map")
    if header.get("op") == -1:
        error, said = str(body.get("error"))[:80], str(body.get("message", ""))[:200]
        if error == "FutureCursor":
            raise CursorTooOld("our cursor lies in the host's future, so it is not one of its own")
        raise ConnectionRefused(f"{error}: {said}")
    kind = header.get("t")
    return (kind if header.get("op") == 1 and isinstance(kind, str) else ""), body


def commit_ops(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ops of a commit's body, each with an action and a path. errors: DataInvalid."""
    ops = body.get("ops")
    if not isinstance(ops, list) or len(ops) > _MAX_OPS:
        raise DataInvalid("a commit's ops are not a list, or too many")
    for op in ops:
        if not isinstance(op, dict) or not isinstance(op.get("path"), str):
            raise DataInvalid("an op of a commit has no path")
    return ops


def read_records(did: Did, rev: Rev, body: Mapping[str, Any], ops: Sequence[dict[str, Any]]) -> tuple[RecordOp, ...]:
    """Return some of a commit's ops with their records, each checked against its CID.

    errors: DataInvalid when a block is missing, is not what its CID says, or the commit is another repo's
    """
    blocks = body.get("blocks")
    if not isinstance(blocks, bytes):
        raise DataInvalid("a commit has no blocks")
    car = Car(io.BytesIO(blocks))
    signed = decode_object(car.block(car.root))
    if signed.get("did") != did or signed.get("rev") != rev:
        raise DataInvalid("an event tells of another commit than it carries")
    return tuple(_record_op(op, car) for op in ops)


def _record_op(op: Mapping[str, Any], car: Car) -> RecordOp:
    collection, _, key = op["path"].partition("/")
    nsid, rkey = Nsid(collection), read_key(key)
    action, cid = op.get("action"), op.get("cid")
    if action == "delete":
        return RecordOp("delete", nsid, rkey, None, None)
    if action not in ("create", "update") or not isinstance(cid, bytes):
        raise DataInvalid("an op of a commit is of an unknown kind, or has no CID")
    return RecordOp("put", nsid, rkey, cid_text(cid), record_json(car.block(cid)))
