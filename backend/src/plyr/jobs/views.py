"""A job as a value."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plyr.kit.ids import Did, JobId

FINAL = frozenset({"completed", "failed"})


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it stood at `revision`."""

    id: JobId
    kind: str
    owner_did: Did
    payload: dict[str, Any]
    status: str
    phase: str
    progress_pct: float
    message: str
    error_code: str | None
    error_detail: str | None
    result: dict[str, Any]
    revision: int
    released: bool
    attempts: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_final(self) -> bool:
        """Nothing will change any more."""
        return self.status in FINAL
