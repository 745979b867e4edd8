"""The string formats of the lexicon language.

source: https://atproto.com/specs/lexicon#string-formats
"""

import re
from collections.abc import Callable
from datetime import datetime

from plyr.atproto.identity.syntax import is_did, is_handle

_NSID = re.compile(
    r"(?=.{1,317}\Z)[a-z](?:[a-z0-9-]{0,62})(?:\.[a-z0-9](?:[a-z0-9-]{0,62}))+\.[a-zA-Z][a-zA-Z0-9]{0,62}"
)
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_RECORD_KEY = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._:~-]{1,512}")
_CID = re.compile(r"[A-Za-z0-9+=]{8,256}")
_DATETIME = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](?:\.[0-9]{1,20})?(?:Z|[+-][0-2][0-9]:[0-5][0-9])"
)
_URI = re.compile(r"[a-z][a-z.-]{0,80}:[!-~]+")
_LANGUAGE = re.compile(r"(?:i|[a-z]{2,3})(?:-[A-Za-z0-9]+)*")


def has_format(name: str, text: str) -> bool:
    """Tell whether a text has a format; a format that is not known is not checked."""
    check = _CHECKS.get(name)
    return check is None or check(text)


def _is_datetime(text: str) -> bool:
    if _DATETIME.fullmatch(text) is None or text.endswith("-00:00"):
        return False
    seconds = re.sub(r"\.[0-9]+", "", text)
    try:
        datetime.fromisoformat(seconds)
    except ValueError:
        return False
    return True


def _is_at_uri(text: str) -> bool:
    if len(text) > 8192 or not text.startswith("at://"):
        return False
    authority, *rest = text.removeprefix("at://").split("/")
    if not (is_did(authority) or is_handle(authority)) or len(rest) > 2:
        return False
    is_collection = not rest or _NSID.fullmatch(rest[0]) is not None
    return is_collection and (len(rest) < 2 or _RECORD_KEY.fullmatch(rest[1]) is not None)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


_CHECKS: dict[str, Callable[[str], bool]] = {
    "at-identifier": lambda text: is_did(text) or is_handle(text.lower()),
    "at-uri": _is_at_uri,
    "cid": _matches(_CID),
    "datetime": _is_datetime,
    "did": is_did,
    "handle": lambda text: is_handle(text.lower()),
    "language": _matches(_LANGUAGE),
    "nsid": _matches(_NSID),
    "record-key": _matches(_RECORD_KEY),
    "tid": _matches(_TID),
    "uri": lambda text: len(text) <= 8192 and _URI.fullmatch(text) is not None,
}
