"""An edit laid over a record as it stands, so that what others wrote into it survives."""

from collections.abc import Collection, Mapping
from typing import Any

_AUTHORS_OWN = "createdAt"


def merge_record(standing: Mapping[str, Any], edit: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Return the record an edit makes of the one that stands.

    shape:  `fields` are those the edit decides: one missing in `edit`, or None there, is taken away, but a blob only
            goes if it is None. all others stay, known or not; `createdAt` stays as it was first said
    """
    kept = {name: value for name, value in standing.items() if name not in fields or _is_blob(value)}
    merged = kept | {name: value for name, value in edit.items() if name in fields or name not in standing}
    if _AUTHORS_OWN in standing:
        merged[_AUTHORS_OWN] = standing[_AUTHORS_OWN]
    return without_empty(merged)


def without_empty(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without the fields that are None."""
    return {name: value for name, value in record.items() if value is not None}


def _is_blob(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("$type") == "blob"
