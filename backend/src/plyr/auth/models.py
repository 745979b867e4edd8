"""Tables of sign-in: attempts, grants, the tokens that finish a sign-in, and sessions.

what a browser holds (state, exchange token, session id) is stored as its SHA-256 only; what we hold for a
user (tokens, DPoP keys, PKCE verifiers) is stored encrypted, bound to its row and column.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from plyr.db import Base

GRANT_STATUSES = ("active", "expired", "ending", "ended")


class OAuthAttempt(Base):
    """A sign-in that was begun: everything its callback is checked against. The callback takes the row."""

    __tablename__ = "oauth_attempts"

    state_hash: Mapped[bytes] = mapped_column(primary_key=True)
    browser_hash: Mapped[bytes]
    asked: Mapped[str]
    """what the person typed: a handle, a DID or a server"""
    return_to: Mapped[str]
    expected_did: Mapped[str | None]
    """None when the sign-in began at a server and any of its accounts will do"""
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_key_id: Mapped[str | None]
    scope: Mapped[str]
    secrets: Mapped[bytes]
    """encrypted: the PKCE verifier and the DPoP key"""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("octet_length(state_hash) = 32 and octet_length(browser_hash) = 32", "hashes"),
        CheckConstraint("expected_did is null or expected_did like 'did:%'", "expected_did"),
        Index("ix_oauth_attempts_expires_at", "expires_at"),
    )


class OAuthGrant(Base):
    """What a PDS lets us do for one account, and the lease of whoever refreshes it right now."""

    __tablename__ = "oauth_grants"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    did: Mapped[str]
    pds_url: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_key_id: Mapped[str | None]
    """the key the grant was made with; the provider accepts refreshes by this one only"""
    scope: Mapped[str]
    dpop_key: Mapped[bytes | None]
    access_token: Mapped[bytes | None]
    refresh_token: Mapped[bytes | None]
    access_expires_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="active")
    """active; expired: the provider refuses it; ending: signed out, to be revoked; ended: nothing is left"""
    generation: Mapped[int] = mapped_column(server_default="1")
    """grows by one with every refresh"""
    lease_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    refresh_failures: Mapped[int] = mapped_column(server_default="0")
    """how often the provider could not be reached for a refresh; those who wait see it grow and give up too"""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    refreshed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("did like 'did:%'", "did"),
        CheckConstraint(f"status in {GRANT_STATUSES}", "status"),
        CheckConstraint("(lease_id is null) = (lease_until is null)", "lease"),
        CheckConstraint(
            "(status = 'ended') = (dpop_key is null and access_token is null and refresh_token is null)",
            "ended_keeps_no_secret",
        ),
        CheckConstraint("(status in ('active', 'ending')) = (ended_at is null)", "ended_at"),
        Index("ix_oauth_grants_did_created_at", "did", "created_at", postgresql_where=text("status = 'active'")),
        Index("ix_oauth_grants_ended_at", "ended_at", postgresql_where=text("ended_at is not null")),
    )


class ExchangeToken(Base):
    """The one-time token that turns a finished callback into a session, in the browser that began it."""

    __tablename__ = "exchange_tokens"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    browser_hash: Mapped[bytes]
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_grants.id", ondelete="CASCADE"))
    return_to: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32 and octet_length(browser_hash) = 32", "hashes"),
        Index("uq_exchange_tokens_grant_id", "grant_id", unique=True),
        Index("ix_exchange_tokens_expires_at", "expires_at"),
    )


class Session(Base):
    """A signed-in browser or program. Each has a grant of its own, so that ending one touches no other."""

    __tablename__ = "sessions"

    id_hash: Mapped[bytes] = mapped_column(primary_key=True)
    did: Mapped[str]
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_grants.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("octet_length(id_hash) = 32", "id_hash"),
        CheckConstraint("did like 'did:%'", "did"),
        Index("uq_sessions_grant_id", "grant_id", unique=True),
        Index("ix_sessions_did_created_at", "did", "created_at"),
        Index("ix_sessions_expires_at", "expires_at"),
    )
