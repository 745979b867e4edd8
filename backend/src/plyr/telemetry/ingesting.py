"""What happens while following repos: each event of the business counts and logs in one place."""

from collections.abc import Mapping

import structlog
from prometheus_client import Counter, Gauge, Histogram

log = structlog.get_logger()

EVENTS = Counter("plyr_ingest_events", "events taken from the source")
RECORDS = Counter("plyr_ingest_records", "records of those events, by what became of them", ["outcome"])
REJECTED = Counter("plyr_ingest_rejected", "records that show nowhere, by reason", ["reason"])
PASSED_BY = Counter("plyr_ingest_passed_by", "events that could not be applied, by error", ["reason"])
TROUBLE = Counter("plyr_ingest_trouble", "interruptions, by what was away", ["what"])
TAKEOVERS = Counter("plyr_ingest_takeovers", "times this process became the leader")
BATCH = Histogram("plyr_ingest_batch_events", "events applied together", buckets=(1, 5, 20, 100, 300, 1000))
DELAY = Histogram(
    "plyr_ingest_delay_seconds", "from a batch's first commit to its being visible",
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60, 600, 3600),
)  # fmt: skip

LEADER = Gauge("plyr_ingest_leader", "1 while this process leads")
CONNECTED = Gauge("plyr_ingest_connected", "1 while the source is connected")
LAG = Gauge("plyr_ingest_lag_seconds", "how far the index is behind the newest event known")
WAITING = Gauge("plyr_ingest_waiting_events", "events received and not applied yet")
OUTBOX = Gauge("plyr_outbox_writes", "repo writes not delivered, by whether they are on their way", ["state"])
OUTBOX_AGE = Gauge("plyr_outbox_oldest_seconds", "age of the oldest repo write on its way")
ECHOES = Gauge("plyr_outbox_echoes_overdue", "own writes that did not come back in time")

_REASONS_MAX = 200
_reasons: set[str] = set()


def events_applied(events: int, news: int, stale: int, foreign: int, rejected: Mapping[str, int]) -> None:
    """Some events are in the index, their transaction committed."""
    EVENTS.inc(events)
    for outcome, count in (("news", news), ("stale", stale), ("foreign", foreign)):
        RECORDS.labels(outcome).inc(count)
    for reason, count in rejected.items():
        REJECTED.labels(_known(reason)).inc(count)


def batch_applied(events: int, delay_s: float) -> None:
    """What was received together is applied."""
    BATCH.observe(events)
    DELAY.observe(delay_s)


def event_passed_by(cursor: int, what: str, error: Exception) -> None:
    """An event cannot be applied; we go on behind it."""
    PASSED_BY.labels(_known(reason_of(error))).inc()
    log.error("ingest_event_passed_by", cursor=cursor, what=what, error=_short(error))


def took_over(source: str, epoch: int, cursor: int | None) -> None:
    """This process leads now."""
    TAKEOVERS.inc()
    log.info("ingest_leads", source=source, epoch=epoch, cursor=cursor)


def stands_by(reason: str) -> None:
    """This process does not lead (any more)."""
    log.info("ingest_stands_by", reason=reason)


def gap_found(source: str, reason: str) -> None:
    """Events between our cursor and now are missing."""
    TROUBLE.labels("cursor").inc()
    log.warning("ingest_gap", source=source, reason=reason)


def reconciliation_wanted() -> None:
    """Every repo we know is to be compared with its host, because events are missing."""
    log.info("ingest_reconciles_all")


def interrupted(what: str, error: Exception) -> str:
    """A part we need (database, source, …) is away; returns the words for it."""
    TROUBLE.labels(what).inc()
    log.warning("ingest_interrupted", what=what, error=_short(error))
    return f"{what}: {type(error).__name__}"


def reason_of(error: Exception) -> str:
    """Return why an event could not be applied, in a word."""
    cause = getattr(error, "orig", None) or error
    return f"failed: {type(cause.__cause__ or cause).__name__}"


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _known(reason: str) -> str:
    """Reasons hold paths that strangers choose: only so many become series of their own."""
    if reason not in _reasons and len(_reasons) >= _REASONS_MAX:
        return "other"
    _reasons.add(reason)
    return reason
