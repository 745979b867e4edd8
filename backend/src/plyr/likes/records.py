"""Like records as rows."""

from typing import Any

from plyr.kit.record_events import RecordEvent


def like_row(event: RecordEvent) -> dict[str, Any]:
    """Return the row of a valid like record."""
    record = event.record or {}
    return {
        "uri": event.uri,
        "did": event.did,
        "subject_uri": record["subject"]["uri"],
        "created_at": event.claimed_at(record["createdAt"]),
    }
