"""Jetstream: the network's events as JSON, already filtered by collection.

source: https://github.com/bluesky-social/jetstream
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from plyr.atproto.sync.dag_cbor import cid_bytes
from plyr.atproto.sync.errors import CursorTooOld, DataInvalid
from plyr.atproto.sync.events import Commit, RecordOp, RepoEvent, StreamEvent
from plyr.atproto.sync.live import LiveSource, Patience
from plyr.atproto.sync.reading import read_account, read_did, read_identity, read_int, read_key, read_rev
from plyr.kit.ids import Cid, Nsid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_SECOND_US = 1_000_000
_REWIND_US = 5 * _SECOND_US
_KEPT_S = 24 * 3600
_AHEAD_S = 60
_MAX_COLLECTIONS = 100


def jetstream(hosts: Sequence[str], collections: Collection[Nsid], patience: Patience | None = None) -> LiveSource:
    """Return the source for some hosts, e.g. `wss://jetstream.example`, tried in turn; cursors are microseconds.

    shape:  clocks of hosts differ: with another host the cursor goes back 5 s, and events come once more
    errors: ValueError for more than 100 collections, which is what hosts allow
    """
    return LiveSource(JetstreamWire(collections), hosts, patience)


class JetstreamWire:
    """Reads the messages of Jetstream's version 1."""

    kind = "jetstream"
    max_bytes = _MAX_MESSAGE_BYTES
    rewind = _REWIND_US

    def __init__(self, collections: Collection[Nsid], *, kept_s: float = _KEPT_S) -> None:
        if not 0 < len(collections) <= _MAX_COLLECTIONS:
            raise ValueError(f"jetstream takes 1 to {_MAX_COLLECTIONS} collections")
        self._collections = frozenset(collections)
        self._kept_s = kept_s

    def now(self) -> int:
        """Return the cursor of this moment by our clock."""
        return time.time_ns() // 1000

    def address(self, host: str, cursor: int | None) -> str:
        """Return the URL that continues at an instant. errors: CursorTooOld; hosts say nothing about such cursors."""
        query = [("wantedCollections", str(collection)) for collection in sorted(self._collections)]
        query.append(("maxMessageSizeBytes", str(_MAX_MESSAGE_BYTES)))
        if cursor is not None:
            age_s = time.time() - cursor / _SECOND_US
            if age_s > self._kept_s:
                raise CursorTooOld(f"our cursor is {age_s / 3600:.1f} hours old, longer than hosts keep events")
            if age_s < -_AHEAD_S:
                raise CursorTooOld("our cursor lies in the future, so it is not an instant of this source")
            query.append(("cursor", str(cursor)))
        return f"{host}/subscribe?{urlencode(query)}"

    def read(self, message: bytes) -> StreamEvent | None:
        """Return the event of a message. errors: DataInvalid."""
        try:
            body = orjson.loads(message)
        except orjson.JSONDecodeError:
            raise DataInvalid("a message is not JSON") from None
        if not isinstance(body, dict):
            raise DataInvalid("a message is not an object")
        try:
            event = self._event(body)
        except OverflowError:
            raise DataInvalid("an event's time_us is not an instant") from None
        return None if event is None else StreamEvent(read_int(body, "time_us"), event)

    def _event(self, body: Mapping[str, Any]) -> RepoEvent | None:
        kind = body.get("kind")
        if kind == "commit":
            return self._commit(body, _part(body, kind))
        if kind == "identity":
            return read_identity(_part(body, kind))
        if kind == "account":
            return read_account(_part(body, kind))
        return None

    def _commit(self, body: Mapping[str, Any], commit: Mapping[str, Any]) -> Commit | None:
        collection = commit.get("collection")
        if not isinstance(collection, str) or collection not in self._collections:
            return None
        time_us = read_int(body, "time_us")
        op = _record_op(Nsid(collection), commit)
        return Commit(read_did(body), read_rev(commit), (op,), _EPOCH + timedelta(microseconds=time_us))


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise DataInvalid(f"an event has no {name}")
    return part


def _record_op(nsid: Nsid, commit: Mapping[str, Any]) -> RecordOp:
    rkey = read_key(commit.get("rkey"))
    operation, record, cid = commit.get("operation"), commit.get("record"), commit.get("cid")
    if operation == "delete":
        return RecordOp("delete", nsid, rkey, None, None)
    if operation not in ("create", "update") or not isinstance(cid, str):
        raise DataInvalid("a commit is of an unknown kind, or has no CID")
    cid_bytes(cid)
    return RecordOp("put", nsid, rkey, Cid(cid), record if isinstance(record, dict) else None)
