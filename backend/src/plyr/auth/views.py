"""Rows of auth as values; secrets are still encrypted in them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from plyr.kit.ids import Did, Handle


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request."""

    did: Did
    handle: Handle | None
    session_id_hash: bytes = field(repr=False)
    grant_id: UUID
    has_profile: bool = False


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """A sign-in that was begun."""

    state_hash: bytes
    asked: str
    return_to: str
    expected_did: str | None
    issuer: str
    client_key_id: str | None
    secrets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant and how it stands."""

    id: UUID
    did: Did
    pds_url: str
    issuer: str
    client_key_id: str | None
    dpop_key: bytes | None = field(repr=False)
    access_token: bytes | None = field(repr=False)
    refresh_token: bytes | None = field(repr=False)
    access_expires_at: datetime
    status: str
    generation: int
    refresh_failures: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that has not ended."""

    did: Did
    grant_id: UUID
    is_stale: bool
    """it was last seen so long ago that this should be written down again"""
