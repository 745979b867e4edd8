"""The one clock: instants are aware and in UTC."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def to_iso(instant: datetime) -> str:
    """Return an instant the way records write it: UTC, milliseconds, a final Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
