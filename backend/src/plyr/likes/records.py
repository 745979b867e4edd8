"""Like records as rows."""

from datetime import datetime
from typing import Any

from plyr.atproto.lexicon.generated import Like, StrongRef
from plyr.kit.clock import to_iso
from plyr.kit.record_events import RecordEvent


def like_record(subject: StrongRef, created_at: datetime, namespace: str) -> dict[str, Any]:
    """Return the record of a like."""
    return Like(subject=subject, created_at=to_iso(created_at)).to_record(namespace)


def like_row(event: RecordEvent) -> dict[str, Any]:
    """Return the row of a valid like record."""
    record = event.record or {}
    return {
        "uri": event.uri,
        "did": event.did,
        "subject_uri": record["subject"]["uri"],
        "created_at": event.claimed_at(record["createdAt"]),
    }
