"""repos made by hand: blocks, a tree, a CAR, and frames of a stream, right or deliberately wrong."""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import libipld

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
REV = "3jzfcijpj2z2a"
Blocks = dict[bytes, bytes]


def cid_of(block: bytes, codec: int = 0x71) -> bytes:
    """return the CID of a block's bytes."""
    return bytes((1, codec, 0x12, 0x20)) + hashlib.sha256(block).digest()


def put(blocks: Blocks, value: Any) -> bytes:
    """add a block that holds a value and return its CID."""
    block = libipld.encode_dag_cbor(value)
    blocks[cid_of(block)] = block
    return cid_of(block)


def layer_of(key: str) -> int:
    """return how high in the tree a key stands, counted the plain way."""
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256(key.encode()).digest())
    return (len(bits) - len(bits.lstrip("0"))) // 2


def tree(blocks: Blocks, leaves: Mapping[str, bytes]) -> bytes:
    """add the tree over some keys and return its root's CID."""
    if not leaves:
        return put(blocks, {"l": None, "e": []})
    return _node(blocks, sorted(leaves.items()), max(layer_of(key) for key in leaves))


def _node(blocks: Blocks, leaves: list[tuple[str, bytes]], layer: int) -> bytes:
    own = [number for number, (key, _) in enumerate(leaves) if layer_of(key) == layer]
    fences = [-1, *own, len(leaves)]
    parts = [leaves[first + 1 : last] for first, last in pairwise(fences)]
    children = [_node(blocks, part, layer - 1) if part else None for part in parts]
    entries, previous = [], b""
    for number, child in zip(own, children[1:], strict=True):
        key = leaves[number][0].encode()
        shared = next((n for n, (a, b) in enumerate(zip(previous, key, strict=False)) if a != b), len(previous))
        entries.append({"p": shared, "k": key[shared:], "v": leaves[number][1], "t": child})
        previous = key
    return put(blocks, {"l": children[0], "e": entries})


def commit(blocks: Blocks, data: bytes, /, **changed: Any) -> bytes:
    """add a repo's commit over a tree and return its CID."""
    fields = {"did": DID, "version": 3, "data": data, "rev": REV, "prev": None, "sig": b"\x00" * 64}
    return put(blocks, fields | changed)


def varint(number: int) -> bytes:
    """return an unsigned LEB128."""
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def car(root: bytes, blocks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """return a CAR file of some blocks."""
    header = libipld.encode_dag_cbor({"version": 1, "roots": [root]})
    body = [varint(len(cid) + len(block)) + cid + block for cid, block in blocks]
    return varint(len(header)) + header + b"".join(body)


def repo(records: Mapping[str, Any]) -> tuple[bytes, Blocks]:
    """return the root and the blocks of a repo that holds records by their path."""
    blocks: Blocks = {}
    root = commit(blocks, tree(blocks, {path: put(blocks, record) for path, record in records.items()}))
    return root, blocks


def repo_car(records: Mapping[str, Any]) -> bytes:
    """return a repo's CAR."""
    root, blocks = repo(records)
    return car(root, blocks.items())


def frame(kind: str, body: Mapping[str, Any]) -> bytes:
    """return a frame of a stream."""
    return libipld.encode_dag_cbor({"op": 1, "t": kind}) + libipld.encode_dag_cbor(dict(body))


def error_frame(error: str) -> bytes:
    """return the frame that says that the stream ends."""
    return libipld.encode_dag_cbor({"op": -1}) + libipld.encode_dag_cbor({"error": error, "message": "said by a test"})


def commit_frame(seq: int, records: Mapping[str, Any], /, **changed: Any) -> bytes:
    """return the frame of a commit that creates records by their path."""
    root, blocks = repo(records)
    ops = [{"action": "create", "path": path, "cid": put({}, record)} for path, record in records.items()]
    body = {
        "seq": seq,
        "repo": DID,
        "rev": REV,
        "since": None,
        "commit": root,
        "blocks": car(root, blocks.items()),
        "ops": ops,
        "blobs": [],
        "tooBig": False,
        "rebase": False,
        "time": "2026-01-02T03:04:05.678Z",
    }
    return frame("#commit", body | changed)
