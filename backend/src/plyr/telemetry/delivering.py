"""What happens to writes on their way to repos: each event of the business counts and logs in one place."""

from collections.abc import Sequence

import structlog
from prometheus_client import Counter

log = structlog.get_logger()

POSTPONED = Counter("plyr_outbox_postponed", "deliveries to be tried again")
REFUSED = Counter("plyr_outbox_refused", "writes that can never succeed, by code", ["code"])
OVERDUE = Counter("plyr_outbox_echo_overdue", "own writes that did not come back through the stream in time")


def write_postponed(did: str, collection: str, attempts: int, why: str) -> None:
    """A PDS did not take a write for now."""
    POSTPONED.inc()
    log.info("repo_write_postponed", did=did, collection=collection, attempts=attempts, why=why)


def write_refused(did: str, collection: str, code: str, detail: str) -> None:
    """A write can never succeed; what was shown in advance is taken back."""
    REFUSED.labels(code).inc()
    log.warning("repo_write_refused", did=did, collection=collection, code=code, detail=detail)


def echo_overdue(did: str, uris: Sequence[str], overdue_s: float) -> None:
    """Writes to a repo did not come back; the repo is read whole."""
    OVERDUE.inc(len(uris))
    log.warning("own_writes_not_echoed", did=did, count=len(uris), first=uris[0], after_s=overdue_s)
