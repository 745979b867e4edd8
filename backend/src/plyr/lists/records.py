"""List records as rows."""

from typing import Any

from plyr.kit.record_events import RecordEvent


def list_row(event: RecordEvent) -> dict[str, Any]:
    """Return the row of a valid list record. An image by address is not taken: it would be a stranger's URL."""
    record = event.record or {}
    updated = record.get("updatedAt")
    return {
        "uri": event.uri,
        "cid": event.cid,
        "did": event.did,
        "list_type": record.get("listType"),
        "name": record.get("name"),
        "description": record.get("description"),
        "items": [{"uri": item["subject"]["uri"], "cid": item["subject"]["cid"]} for item in record["items"]],
        "created_at": event.claimed_at(record["createdAt"]),
        "updated_at": event.claimed_at(updated) if updated else None,
    }
