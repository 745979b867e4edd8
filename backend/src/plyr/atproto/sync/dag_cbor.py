"""DAG-CBOR blocks and the JSON they stand for.

source: https://atproto.com/specs/data-model
"""

import base64
import hashlib
from typing import Any

import libipld

from plyr.atproto.sync.errors import DataInvalid
from plyr.kit.ids import Cid

CID_BYTES = 36
_MAX_DEPTH = 64
_INTEGERS = range(-(2**63), 2**63)
# CIDv1, the codec (dag-cbor or raw), sha-256, 32 bytes
_PREFIXES = (b"\x01\x71\x12\x20", b"\x01\x55\x12\x20")
_LINK_HEAD = b"\xd8\x2a\x58\x25\x00"


def is_cid(data: bytes) -> bool:
    """Tell whether bytes are a CID of the kind the network uses: version 1, dag-cbor or raw, sha-256."""
    return len(data) == CID_BYTES and data.startswith(_PREFIXES)


def require_hash(cid: bytes, block: bytes) -> bytes:
    """Return a block whose bytes are what its CID says. errors: DataInvalid."""
    if not is_cid(cid):
        raise DataInvalid("a block is named by a CID of a kind the network does not use")
    if hashlib.sha256(block).digest() != cid[4:]:
        raise DataInvalid(f"block {cid_text(cid)} holds something else than its CID says")
    return block


def cid_text(cid: bytes) -> Cid:
    """Return the written form of a CID's bytes. errors: DataInvalid."""
    try:
        return Cid(libipld.encode_cid(cid))
    except (ValueError, TypeError):
        raise DataInvalid("a link is not a CID") from None


def cid_bytes(cid: str) -> bytes:
    """Return the bytes of a CID of the network's kind, from its written form. errors: DataInvalid."""
    if len(cid) == 59 and cid.startswith("b"):
        try:
            data = base64.b32decode(cid[1:].upper() + "======")
        except ValueError:
            data = b""
        if is_cid(data) and cid_text(data) == cid:
            return data
    raise DataInvalid(f"{cid[:80]!r} is not a CID of the network's kind")


def decode(block: bytes) -> Any:
    """Return what a block holds; links are the bytes of their CID. errors: DataInvalid."""
    try:
        return libipld.decode_dag_cbor(block)
    except (ValueError, RecursionError) as error:
        raise DataInvalid(f"a block is not DAG-CBOR: {error}") from None


def decode_object(block: bytes) -> dict[str, Any]:
    """Return the map a block holds. errors: DataInvalid."""
    value = decode(block)
    if not isinstance(value, dict):
        raise DataInvalid("a block is not a map")
    return value


def decode_two(data: bytes) -> tuple[Any, Any]:
    """Return the two values that follow each other in a frame. errors: DataInvalid."""
    try:
        values = libipld.decode_dag_cbor_multi(data)
    except (ValueError, RecursionError) as error:
        raise DataInvalid(f"a frame is not DAG-CBOR: {error}") from None
    if len(values) != 2:
        raise DataInvalid("a frame is not a header and a body")
    return values[0], values[1]


def record_json(block: bytes) -> dict[str, Any] | None:
    """Return a record's block as the JSON that hosts give out for it, None for what the data model does not allow.

    shape:  links become {"$link": …}, bytes {"$bytes": …}; floats, numbers beyond 64 bits, nesting deeper than 64
            and blocks that are no map of DAG-CBOR are not allowed
    """
    try:
        value = _json(decode_object(block), block, 0)
    except DataInvalid:
        return None
    return value if isinstance(value, dict) else None


def _json(value: Any, block: bytes, depth: int) -> Any:
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if depth > _MAX_DEPTH:
        raise DataInvalid("a record is nested too deep")
    if isinstance(value, dict):
        return {name: _json(item, block, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_json(item, block, depth + 1) for item in value]
    if isinstance(value, int) and value in _INTEGERS:
        return value
    if isinstance(value, bytes):
        # the decoder gives links and byte strings alike; the block still has the tag before a link
        if is_cid(value) and _LINK_HEAD + value in block:
            return {"$link": cid_text(value)}
        return {"$bytes": base64.b64encode(value).decode().rstrip("=")}
    raise DataInvalid(f"a record holds a {type(value).__name__}")
