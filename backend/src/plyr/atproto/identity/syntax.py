"""The written forms of handles and DIDs.

source: https://atproto.com/specs/handle, https://atproto.com/specs/did
"""

import re

from plyr.atproto.identity.errors import NameInvalid
from plyr.kit.ids import Did, Handle

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HANDLE = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]")
_PLC = re.compile(r"did:plc:[a-z2-7]{24}")
_WEB = re.compile(r"did:web:(?P<host>[a-z0-9.-]+)(?:%3[Aa](?P<port>[0-9]{1,5}))?")
_UNUSABLE_SUFFIXES = (".alt", ".arpa", ".example", ".internal", ".invalid", ".local", ".localhost", ".onion")
# people paste names with the marks their phone puts around them
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def is_handle(text: str) -> bool:
    """Tell whether a text is a handle in its normal, lower-case form."""
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def is_did(text: str) -> bool:
    """Tell whether a text is a DID of any method."""
    return len(text) <= 2048 and _DID.fullmatch(text) is not None


def normalize_name(typed: str) -> Did | Handle:
    """Return the handle or DID a person meant, with @, at://, capitals and invisible marks taken away.

    errors: NameInvalid
    """
    text = _INVISIBLE.sub("", typed).strip().removeprefix("at://").removeprefix("@")
    if text.lower().startswith("did:"):
        return require_did(text)
    handle = text.rstrip(".").lower()
    if not is_handle(handle) or handle.endswith(_UNUSABLE_SUFFIXES):
        raise NameInvalid(f"{typed[:100]!r} is not a handle; one looks like a web address, name.example.com")
    return Handle(handle)


def require_did(text: str) -> Did:
    """Return a DID of one of the two methods the network uses. errors: NameInvalid."""
    if _PLC.fullmatch(text) or (is_did(text) and did_web_host(text) is not None):
        return Did(text)
    raise NameInvalid(f"{text[:100]!r} is not an account's DID")


def did_web_host(did: str) -> str | None:
    """Return `host` or `host:port` of a did:web, None if it is none; paths are not used on the network."""
    match = _WEB.fullmatch(did)
    if match is None:
        return None
    return match["host"] + (f":{match['port']}" if match["port"] else "")
