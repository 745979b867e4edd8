"""Which bytes a request asks for: Range, If-Range and If-None-Match, as RFC 9110 reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_SPEC = re.compile(r"\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")


@dataclass(frozen=True, slots=True)
class Selection:
    """What to answer: all (200), the part from `start` up to `end` (206), nothing new (304), or no such part (416)."""

    status: Literal[200, 206, 304, 416]
    start: int
    end: int


def select(method: str, headers: Mapping[str, str], *, size_bytes: int, etag: str) -> Selection:
    """Return what a GET or HEAD asks for.

    shape:  `etag` is strong, quotes included; ranges that cannot be read, of other units, and several at once are
            answered with the whole, and so is every HEAD
    """
    if _matches(headers.get("if-none-match", ""), etag):
        return Selection(304, 0, 0)
    whole = Selection(200, 0, size_bytes)
    wanted = headers.get("range")
    if method != "GET" or wanted is None or headers.get("if-range", etag) != etag:
        return whole
    unit, _, spec = wanted.partition("=")
    found = _SPEC.fullmatch(spec)
    if unit.strip().lower() != "bytes" or found is None:
        return whole
    return _one(found[1], found[2], size_bytes) or whole


def _one(first: str, last: str, size_bytes: int) -> Selection | None:
    nothing = Selection(416, 0, 0)
    if first:
        start = int(first)
        if last and int(last) < start:
            return None
        end = min(int(last) + 1, size_bytes) if last else size_bytes
        return Selection(206, start, end) if start < size_bytes else nothing
    if not last:
        return None
    length = min(int(last), size_bytes)
    return Selection(206, size_bytes - length, size_bytes) if length else nothing


def _matches(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
