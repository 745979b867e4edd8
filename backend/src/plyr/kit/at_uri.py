"""at:// addresses of records."""

import re

from plyr.kit.ids import AtUri, Did, Nsid, RecordKey

_AT_URI = re.compile(r"at://(did:[a-z]+:[A-Za-z0-9._:%-]{1,500})/([A-Za-z0-9.-]{3,317})/([A-Za-z0-9._:~-]{1,512})")


def make_at_uri(did: Did, collection: Nsid, rkey: RecordKey) -> AtUri:
    """Return the address of a record."""
    return AtUri(f"at://{did}/{collection}/{rkey}")


def split_at_uri(uri: str) -> tuple[Did, Nsid, RecordKey]:
    """Return (did, collection, rkey) of a record's address.

    errors: ValueError for anything that is not the full address of one record by DID
    """
    match = _AT_URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"not the address of a record: {uri[:100]!r}")
    did, collection, rkey = match.groups()
    return Did(did), Nsid(collection), RecordKey(rkey)
