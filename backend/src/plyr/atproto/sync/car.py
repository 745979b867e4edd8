"""CAR files: blocks one after the other, each under its CID.

source: https://ipld.io/specs/transport/car/carv1
"""

import os
from array import array
from typing import BinaryIO

from plyr.atproto.sync.dag_cbor import CID_BYTES, decode_object, is_cid, require_hash
from plyr.atproto.sync.errors import DataInvalid

MAX_BLOCK_BYTES = 2 * 1024 * 1024
_MAX_HEADER_BYTES = 4096
_MAX_BLOCKS = 4_000_000
_MAX_VARINT_BYTES = 5


class Car:
    """An open CAR file.

    shape:  `root` is the CID its header names; a block is checked against its CID each time it is read
    errors: DataInvalid from the constructor for a file that is cut, or whose parts are larger than they may be
    cost:   opening reads the file once, without hashing; about 150 bytes of memory for each block, none for its bytes
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self.root = self._read_header()
        self._at: dict[bytes, int] = {}
        self._offsets = array("Q")
        self._lengths = array("L")
        while file.tell() < self._size:
            self._note_block()

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, cid: bytes) -> bool:
        return cid in self._at

    def block(self, cid: bytes) -> bytes:
        """Return a block's bytes, checked against its CID. errors: DataInvalid, also when it is not there."""
        number = self._at.get(cid)
        if number is None:
            raise DataInvalid("a block that the repo needs is missing")
        self._file.seek(self._offsets[number])
        return require_hash(cid, self._read(self._lengths[number]))

    def _read_header(self) -> bytes:
        length = self._varint()
        if not 0 < length <= _MAX_HEADER_BYTES:
            raise DataInvalid("a CAR's header has an impossible size")
        header = decode_object(self._read(length))
        roots = header.get("roots")
        if header.get("version") != 1 or not isinstance(roots, list) or not roots:
            raise DataInvalid("a CAR of another version, or without a root")
        if not isinstance(roots[0], bytes) or not is_cid(roots[0]):
            raise DataInvalid("a CAR's root is not a CID")
        return roots[0]

    def _note_block(self) -> None:
        length = self._varint() - CID_BYTES
        if not 0 <= length <= MAX_BLOCK_BYTES:
            raise DataInvalid(f"a block may hold at most {MAX_BLOCK_BYTES} bytes")
        cid = self._read(CID_BYTES)
        if not is_cid(cid):
            raise DataInvalid("a block is named by a CID of a kind the network does not use")
        offset = self._file.tell()
        if offset + length > self._size:
            raise DataInvalid("the CAR ends in the middle of a block")
        self._file.seek(offset + length)
        if cid in self._at:
            return
        if len(self._offsets) >= _MAX_BLOCKS:
            raise DataInvalid(f"a CAR may hold at most {_MAX_BLOCKS} blocks")
        self._at[cid] = len(self._offsets)
        self._offsets.append(offset)
        self._lengths.append(length)

    def _read(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) < length:
            raise DataInvalid("the CAR ends too early")
        return data

    def _varint(self) -> int:
        number = 0
        for position in range(_MAX_VARINT_BYTES):
            byte = self._read(1)[0]
            number |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                return number
        raise DataInvalid("a CAR holds a length that is too long")
