"""A change of one record, wherever it was heard of."""

from dataclasses import dataclass
from typing import Any, Literal

from plyr.kit.at_uri import make_at_uri
from plyr.kit.ids import AtUri, Cid, Did, Nsid, RecordKey, Rev


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """A record was written or deleted in a repo at `rev`; a deletion has neither cid nor record."""

    did: Did
    rev: Rev
    collection: Nsid
    rkey: RecordKey
    action: Literal["put", "delete"]
    cid: Cid | None = None
    record: dict[str, Any] | None = None

    @property
    def uri(self) -> AtUri:
        """The record's address."""
        return make_at_uri(self.did, self.collection, self.rkey)
