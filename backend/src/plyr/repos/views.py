"""A repo as a value."""

from dataclasses import dataclass
from datetime import datetime

from plyr.kit.ids import Did, Rev


@dataclass(frozen=True, slots=True)
class RepoView:
    """What we know of a repo."""

    did: Did
    pds_url: str | None
    applied_rev: Rev | None
    compared_rev: Rev | None
    status: str
    said_by: str | None
    failures: int
    last_error: str | None
    checked_at: datetime | None
    compared_at: datetime | None
    backfilled_at: datetime | None
    next_check_at: datetime
