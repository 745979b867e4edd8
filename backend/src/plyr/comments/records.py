"""Comment records as rows."""

from typing import Any

from plyr.kit.record_events import RecordEvent


def comment_row(event: RecordEvent) -> dict[str, Any]:
    """Return the row of a valid comment record."""
    record = event.record or {}
    updated = record.get("updatedAt")
    return {
        "uri": event.uri,
        "cid": event.cid,
        "did": event.did,
        "subject_uri": record["subject"]["uri"],
        "text": record["text"],
        "timestamp_ms": record["timestampMs"],
        "created_at": event.claimed_at(record["createdAt"]),
        "updated_at": event.claimed_at(updated) if updated else None,
    }
