"""Record keys: timestamp identifiers as the AT Protocol writes them."""

import secrets
import threading
import time

from plyr.kit.ids import RecordKey

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_CLOCK_ID = secrets.randbits(10)
_lock = threading.Lock()
_last_us = 0


def encode_tid(time_us: int, clock_id: int) -> RecordKey:
    """Return the 13 characters of a TID.

    units:  time_us in microseconds since 1970, below 2^53; clock_id below 1024
    source: https://atproto.com/specs/tid
    """
    number = (time_us << 10) | clock_id
    return RecordKey("".join(_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5)))


def new_tid() -> RecordKey:
    """Return a key that sorts after every key made before in this process."""
    global _last_us
    with _lock:
        _last_us = max(time.time_ns() // 1000, _last_us + 1)
        return encode_tid(_last_us, _CLOCK_ID)
