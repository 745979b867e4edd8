"""The outbox as values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NewType

from plyr.kit.at_uri import make_at_uri
from plyr.kit.ids import AtUri, Cid, Did, JobId, Nsid, RecordKey

WriteId = NewType("WriteId", int)

Expectation = Cid | Literal["absent"]
"""the version of a record a write is meant for; `absent`: the record must not be there"""


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A write to somebody's repo that is still to be delivered; see `RepoWrite` for `merge` and `expects`."""

    id: WriteId
    did: Did
    collection: Nsid
    rkey: RecordKey
    action: str
    record: dict[str, Any] | None
    merge: list[str] | None
    expects: Expectation | None
    job_id: JobId | None
    attempts: int

    @property
    def uri(self) -> AtUri:
        """The record's address."""
        return make_at_uri(self.did, self.collection, self.rkey)


@dataclass(frozen=True, slots=True)
class FailedWriteView:
    """Why a write could not be made; what had been shown in advance was taken back."""

    id: WriteId
    uri: AtUri
    action: str
    code: str
    detail: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class WriteBudget:
    """How many write points an account may spend within any stretch of `per`."""

    points: int = 5000
    per: timedelta = timedelta(hours=1)

    @property
    def slot(self) -> timedelta:
        """Points are counted by slots of this length; a slot counts until all of it is older than `per`."""
        return self.per / 60


POINTS = {"put": 2, "delete": 1}
"""what a PDS charges; it charges 3 for createRecord, which we never call: our keys are our own"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the outbox is behind; `oldest_age_s` is that of the oldest write that is not parked."""

    due: int
    parked: int
    oldest_age_s: float
    echoes_overdue: int
