"""Record keys: timestamp identifiers as the AT Protocol writes them."""

import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

from plyr.kit.ids import RecordKey

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_LENGTH = 13
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_ID = secrets.randbits(10)


class _Clock:
    """The instant of the last key, so that the next one is later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_us = 0

    def tick(self) -> int:
        with self._lock:
            self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
            return self._last_us


_clock = _Clock()


def encode_tid(time_us: int, clock_id: int) -> RecordKey:
    """Return the 13 characters of a TID.

    units:  time_us in microseconds since 1970, below 2^53; clock_id below 1024
    source: https://atproto.com/specs/tid
    """
    number = (time_us << 10) | clock_id
    return RecordKey("".join(_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5)))


def new_tid() -> RecordKey:
    """Return a key that sorts after every key made before in this process."""
    return encode_tid(_clock.tick(), _CLOCK_ID)


def tid_time(key: str) -> datetime | None:
    """Return the instant inside a key, None for a key that is no TID."""
    if len(key) != _LENGTH or any(character not in _ALPHABET for character in key):
        return None
    number = 0
    for character in key:
        number = number << 5 | _ALPHABET.index(character)
    try:
        return _EPOCH + timedelta(microseconds=number >> 10)
    except OverflowError:
        return None
