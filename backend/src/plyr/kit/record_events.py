"""A change of one record, wherever it was heard of."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from plyr.kit.at_uri import make_at_uri
from plyr.kit.clock import utc_now
from plyr.kit.ids import AtUri, Cid, Did, Nsid, RecordKey, Rev
from plyr.kit.tid import tid_time

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


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
    uri: AtUri = field(init=False, compare=False)
    """the record's address, made once: it is asked for a dozen times on the way"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "uri", make_at_uri(self.did, self.collection, self.rkey))

    def claimed_at(self, text: str) -> datetime:
        """Return an instant the record claims, not later than its making.

        shape:  a claim from the future becomes the time in the record's key, the same at every replay; a key from
                the future too becomes now
        errors: ValueError for text that is no instant
        """
        claim = datetime.fromisoformat(text)
        claim = claim if claim.tzinfo else claim.replace(tzinfo=UTC)
        if claim.year <= _EARLIEST.year:
            return _EARLIEST
        now = utc_now()
        if claim <= now:
            return claim
        made = tid_time(self.rkey)
        return made if made is not None and made <= now else now


@dataclass(slots=True)
class Changes:
    """What a batch of events means for one collection.

    shape:  `puts` are valid records that are there, `hidden` are there and show nowhere, `deleted` are gone
    """

    puts: list[RecordEvent] = field(default_factory=list)
    hidden: list[AtUri] = field(default_factory=list)
    deleted: list[AtUri] = field(default_factory=list)

    @property
    def gone(self) -> list[AtUri]:
        """Everything that shows no more."""
        return self.hidden + self.deleted
