"""A repo write as a value."""

from dataclasses import dataclass
from typing import Any

from plyr.kit.ids import Did, JobId, Nsid, RecordKey


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A write to somebody's repo that is still to be delivered."""

    id: int
    did: Did
    collection: Nsid
    rkey: RecordKey
    action: str
    record: dict[str, Any] | None
    job_id: JobId | None
    attempts: int
