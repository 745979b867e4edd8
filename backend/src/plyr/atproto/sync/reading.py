"""Fields of events, taken out of what a host sent and checked; shared by both wires."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from plyr.atproto.identity.syntax import is_did, is_handle
from plyr.atproto.lexicon.formats import has_format
from plyr.atproto.sync.errors import DataInvalid
from plyr.atproto.sync.events import AccountChanged, IdentityChanged
from plyr.kit.ids import Did, Handle, RecordKey, Rev

_MAX_STATUS = 64


def read_did(body: Mapping[str, Any], name: str = "did") -> Did:
    """Return a field that is a DID. errors: DataInvalid."""
    value = body.get(name)
    if not isinstance(value, str) or not is_did(value):
        raise DataInvalid(f"an event's {name} is not a DID")
    return Did(value)


def read_rev(body: Mapping[str, Any]) -> Rev:
    """Return the rev. errors: DataInvalid for anything but a TID, since revs are compared as text."""
    value = body.get("rev")
    if not isinstance(value, str) or not has_format("tid", value):
        raise DataInvalid("an event's rev is not a TID")
    return Rev(value)


def read_key(value: object) -> RecordKey:
    """Return a record key. errors: DataInvalid."""
    if not isinstance(value, str) or not has_format("record-key", value):
        raise DataInvalid("an event's record key is not one")
    return RecordKey(value)


def read_int(body: Mapping[str, Any], name: str) -> int:
    """Return a whole number from 0 to 2^63. errors: DataInvalid."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise DataInvalid(f"an event's {name} is not a number")
    return value


def read_time(body: Mapping[str, Any]) -> datetime | None:
    """Return the event's own instant, None if it says none that can be read."""
    value = body.get("time")
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def read_identity(body: Mapping[str, Any]) -> IdentityChanged:
    """Return an identity event. errors: DataInvalid."""
    handle = body.get("handle")
    usable = isinstance(handle, str) and is_handle(handle.lower())
    return IdentityChanged(read_did(body), Handle(str(handle).lower()) if usable else None)


def read_account(body: Mapping[str, Any]) -> AccountChanged:
    """Return an account event. errors: DataInvalid."""
    active, status = body.get("active"), body.get("status")
    if not isinstance(active, bool):
        raise DataInvalid("an account event does not say whether the account is active")
    return AccountChanged(read_did(body), active, status[:_MAX_STATUS] if isinstance(status, str) else None)
