"""A whole repo out of a CAR: its commit, and its records in the order of their keys.

the tree's rules are checked on the way (order, layers, complete blocks), so that a hostile one ends in an error and
never in an endless walk. the commit's signature is not checked: the CAR comes from the host that the DID names.
source: https://atproto.com/specs/repository
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from plyr.atproto.identity.syntax import is_did
from plyr.atproto.lexicon.formats import has_format
from plyr.atproto.sync.car import Car
from plyr.atproto.sync.dag_cbor import cid_text, decode_object, is_cid, record_json
from plyr.atproto.sync.errors import DataInvalid
from plyr.kit.ids import Cid, Did, Nsid, RecordKey, Rev

_KEY = re.compile(rb"[a-zA-Z0-9.-]{3,317}/[a-zA-Z0-9._:~-]{1,512}")
_AFTER_EVERYTHING = b"\xff"
_DIGEST_BITS = 256


@dataclass(frozen=True, slots=True)
class RepoRecord:
    """A record as it stands in a repo; `record` is None for a block that is no valid data model."""

    collection: Nsid
    rkey: RecordKey
    cid: Cid
    record: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Span:
    """A subtree that must hold keys strictly between two others, all of one layer."""

    cid: bytes
    after: bytes
    before: bytes
    layer: int | None


class RepoCar:
    """A repo at one revision, over a CAR file that stays open.

    errors: DataInvalid from the constructor and while reading
    """

    def __init__(self, file: BinaryIO) -> None:
        self._car = Car(file)
        self.commit_cid = cid_text(self._car.root)
        commit = decode_object(self._car.block(self._car.root))
        did, rev, data = commit.get("did"), commit.get("rev"), commit.get("data")
        if commit.get("version") != 3 or not isinstance(did, str) or not is_did(did):
            raise DataInvalid("a CAR's root is not a repo's commit")
        if not isinstance(rev, str) or not has_format("tid", rev) or not isinstance(data, bytes):
            raise DataInvalid("a repo's commit lacks its rev or its data")
        self.did = Did(did)
        self.rev = Rev(rev)
        self._data: bytes = data

    def records(self, collections: Collection[Nsid] | None = None) -> Iterator[RepoRecord]:
        """Yield records in the order of their keys, of these collections only or of all.

        errors: DataInvalid; what was yielded before it was checked by its own hash, but the rest is not known
        cost:   a read and a hash for each block on the way; subtrees without these collections are not opened
        """
        for key, cid in self._entries(collections):
            collection, _, rkey = key.decode("ascii").partition("/")
            record = record_json(self._car.block(cid))
            yield RepoRecord(Nsid(collection), RecordKey(rkey), cid_text(cid), record)

    def _entries(self, collections: Collection[Nsid] | None) -> Iterator[tuple[bytes, bytes]]:
        wanted = None if collections is None else [_bounds(collection) for collection in collections]
        open_spans: list[_Span | tuple[bytes, bytes]] = [_Span(self._data, b"", _AFTER_EVERYTHING, None)]
        while open_spans:
            part = open_spans.pop()
            if isinstance(part, _Span):
                open_spans.extend(reversed([*self._open(part, wanted)]))
            elif wanted is None or any(first <= part[0] < end for first, end in wanted):
                yield part

    def _open(self, span: _Span, wanted: list[tuple[bytes, bytes]] | None) -> Iterator[_Span | tuple[bytes, bytes]]:
        if wanted is not None and not any(span.after < end and first < span.before for first, end in wanted):
            return
        node = decode_object(self._car.block(span.cid))
        left, entries = node.get("l"), node.get("e")
        if not isinstance(entries, list):
            raise DataInvalid("a node of the tree has no entries")
        keys = _keys(entries, span)
        layer = _layer(keys[0]) if keys else span.layer
        if span.layer not in (None, layer) or any(_layer(key) != layer for key in keys):
            raise DataInvalid("a key stands in the wrong layer of the tree")
        children = [left, *(entry.get("t") for entry in entries)]
        if not keys and (left is None) != (span.layer is None):
            raise DataInvalid("a node of the tree is empty, or its root is")
        fences = [span.after, *keys, span.before]
        for number, child in enumerate(children):
            if number:
                yield fences[number], entries[number - 1]["v"]
            if child is not None:
                yield _child(child, fences[number], fences[number + 1], layer)


def _child(cid: object, after: bytes, before: bytes, layer: int | None) -> _Span:
    if not isinstance(cid, bytes) or not is_cid(cid):
        raise DataInvalid("a node of the tree names something that is not a node")
    if not layer:
        raise DataInvalid("the tree goes deeper than its keys allow")
    return _Span(cid, after, before, layer - 1)


def _keys(entries: list[Any], span: _Span) -> list[bytes]:
    keys: list[bytes] = []
    previous, last = b"", span.after
    for entry in entries:
        if not isinstance(entry, dict) or not _is_link(entry.get("v")):
            raise DataInvalid("an entry of the tree has no value")
        shared, rest = entry.get("p"), entry.get("k")
        if not isinstance(shared, int) or not 0 <= shared <= len(previous) or not isinstance(rest, bytes):
            raise DataInvalid("an entry of the tree has no key")
        key = previous[:shared] + rest
        if _KEY.fullmatch(key) is None or not last < key < span.before:
            raise DataInvalid("a key of the tree is not one, or out of order")
        keys.append(key)
        previous = last = key
    return keys


def _layer(key: bytes) -> int:
    number = int.from_bytes(hashlib.sha256(key).digest(), "big")
    return (_DIGEST_BITS - number.bit_length()) // 2


def _bounds(collection: Nsid) -> tuple[bytes, bytes]:
    return f"{collection}/".encode(), f"{collection}0".encode()


def _is_link(value: object) -> bool:
    return isinstance(value, bytes) and is_cid(value)
