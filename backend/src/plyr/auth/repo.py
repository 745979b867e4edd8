"""Every statement of auth. Instants are Postgres's own, so that machines need not agree on the time."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, bindparam, delete, exists, func, literal, or_, select, update

from plyr.auth.models import ExchangeToken, OAuthAttempt, OAuthGrant
from plyr.auth.models import Session as SessionModel
from plyr.auth.views import AttemptRow, GrantRow, SessionRow
from plyr.db import Session
from plyr.kit.ids import Did

_GRANT = (
    OAuthGrant.id,
    OAuthGrant.did,
    OAuthGrant.pds_url,
    OAuthGrant.issuer,
    OAuthGrant.client_key_id,
    OAuthGrant.dpop_key,
    OAuthGrant.access_token,
    OAuthGrant.refresh_token,
    OAuthGrant.access_expires_at,
    OAuthGrant.status,
    OAuthGrant.generation,
    OAuthGrant.refresh_failures,
)
_NO_LEASE: Mapping[str, None] = {"lease_id": None, "lease_until": None}


def _from_now(duration: timedelta) -> Any:
    return func.now() + literal(duration, Interval)


def _grant_row(row: Mapping[Any, Any]) -> GrantRow:
    return GrantRow(**row)


async def add_attempt(session: Session, values: Mapping[str, Any], ttl: timedelta) -> None:
    """Insert a sign-in that begins."""
    session.add(OAuthAttempt(**values, expires_at=_from_now(ttl)))
    await session.flush()


async def take_attempt(session: Session, state_hash: bytes, browser_hash: bytes) -> AttemptRow | None:
    """Remove and return a sign-in of this browser that has not expired."""
    row = await session.execute(
        delete(OAuthAttempt)
        .where(OAuthAttempt.state_hash == state_hash, OAuthAttempt.browser_hash == browser_hash)
        .where(OAuthAttempt.expires_at > func.now())
        .returning(
            OAuthAttempt.state_hash,
            OAuthAttempt.asked,
            OAuthAttempt.return_to,
            OAuthAttempt.expected_did,
            OAuthAttempt.issuer,
            OAuthAttempt.client_key_id,
            OAuthAttempt.secrets,
        )
    )
    found = row.one_or_none()
    return AttemptRow(*found) if found else None


async def is_attempt_open(session: Session, state_hash: bytes) -> bool:
    """Tell whether a sign-in waits for its callback, in whatever browser."""
    waiting = exists().where(OAuthAttempt.state_hash == state_hash, OAuthAttempt.expires_at > func.now())
    return bool(await session.scalar(select(waiting)))


async def add_grant(session: Session, values: Mapping[str, Any]) -> None:
    """Insert a grant."""
    session.add(OAuthGrant(**values))
    await session.flush()


async def find_grant(session: Session, grant_id: UUID) -> GrantRow | None:
    """Return a grant, whatever its status."""
    row = (await session.execute(select(*_GRANT).where(OAuthGrant.id == grant_id))).mappings().one_or_none()
    return _grant_row(row) if row else None


async def find_newest_grant(session: Session, did: Did) -> GrantRow | None:
    """Return the grant of an account that was made last and is still good."""
    statement = (
        select(*_GRANT)
        .where(OAuthGrant.did == did, OAuthGrant.status == "active")
        .order_by(OAuthGrant.created_at.desc())
        .limit(1)
    )
    row = (await session.execute(statement)).mappings().one_or_none()
    return _grant_row(row) if row else None


async def take_lease(
    session: Session, grant_id: UUID, generation: int, status: str, lease_id: UUID, lease: timedelta
) -> bool:
    """Take the right to spend a grant's refresh token; False: somebody has it, or the grant has moved on."""
    taken = await session.execute(
        update(OAuthGrant)
        .where(OAuthGrant.id == grant_id, OAuthGrant.generation == generation, OAuthGrant.status == status)
        .where(or_(OAuthGrant.lease_until.is_(None), OAuthGrant.lease_until < func.now()))
        .values(lease_id=lease_id, lease_until=_from_now(lease))
        .returning(OAuthGrant.id)
    )
    return taken.one_or_none() is not None


async def release_lease(session: Session, grant_id: UUID, lease_id: UUID, *, failed: bool) -> None:
    """Give a lease back without new tokens; a failure is counted, for those who wait."""
    await session.execute(
        update(OAuthGrant)
        .where(OAuthGrant.id == grant_id, OAuthGrant.lease_id == lease_id)
        .values(**_NO_LEASE, refresh_failures=OAuthGrant.refresh_failures + int(failed))
    )


async def store_refreshed(session: Session, grant_id: UUID, generation: int, values: Mapping[str, Any]) -> bool:
    """Replace a generation's tokens by the next one's and end the lease; False: that generation is gone."""
    stored = await session.execute(
        update(OAuthGrant)
        .where(OAuthGrant.id == grant_id, OAuthGrant.generation == generation)
        .where(OAuthGrant.status.in_(("active", "ending")))
        .values(**values, **_NO_LEASE, generation=generation + 1, refreshed_at=func.now())
        .returning(OAuthGrant.id)
    )
    return stored.one_or_none() is not None


async def expire_grant(session: Session, grant_id: UUID, generation: int) -> None:
    """Write down that the provider refused a generation."""
    await session.execute(
        update(OAuthGrant)
        .where(OAuthGrant.id == grant_id, OAuthGrant.generation == generation, OAuthGrant.status == "active")
        .values(**_NO_LEASE, status="expired", ended_at=func.now())
    )


async def begin_ending(session: Session, grant_ids: Sequence[UUID]) -> list[tuple[UUID, Did]]:
    """Stop using grants; returns those that are still to be given back to their provider."""
    ending = await session.execute(
        update(OAuthGrant)
        .where(OAuthGrant.id.in_(grant_ids), OAuthGrant.status == "active")
        .values(status="ending")
        .returning(OAuthGrant.id, OAuthGrant.did)
    )
    return [(grant_id, Did(did)) for grant_id, did in ending]


async def end_grant(session: Session, grant_id: UUID) -> None:
    """Forget a grant's secrets."""
    nothing = {"dpop_key": None, "access_token": None, "refresh_token": None}
    await session.execute(
        update(OAuthGrant)
        .where(OAuthGrant.id == grant_id, OAuthGrant.status != "ended")
        .values(**nothing, **_NO_LEASE, status="ended", ended_at=func.now())
    )


async def add_exchange_token(session: Session, values: Mapping[str, Any], ttl: timedelta) -> None:
    """Insert the token that will make a session."""
    session.add(ExchangeToken(**values, expires_at=_from_now(ttl)))
    await session.flush()


async def take_exchange_token(session: Session, token_hash: bytes, browser_hash: bytes) -> tuple[UUID, str] | None:
    """Remove a token of this browser that has not expired; returns its grant and where to go."""
    row = await session.execute(
        delete(ExchangeToken)
        .where(ExchangeToken.token_hash == token_hash, ExchangeToken.browser_hash == browser_hash)
        .where(ExchangeToken.expires_at > func.now())
        .returning(ExchangeToken.grant_id, ExchangeToken.return_to)
    )
    found = row.one_or_none()
    return (found[0], found[1]) if found else None


async def add_session(session: Session, id_hash: bytes, did: Did, grant_id: UUID, ttl: timedelta) -> None:
    """Insert a session."""
    session.add(SessionModel(id_hash=id_hash, did=did, grant_id=grant_id, expires_at=_from_now(ttl)))
    await session.flush()


async def find_session(session: Session, id_hash: bytes, stale_after: timedelta) -> SessionRow | None:
    """Return a session that has not expired."""
    is_stale = SessionModel.last_seen_at < _from_now(-stale_after)
    statement = select(SessionModel.did, SessionModel.grant_id, is_stale).where(
        SessionModel.id_hash == id_hash, SessionModel.expires_at > func.now()
    )
    row = (await session.execute(statement)).one_or_none()
    return SessionRow(Did(row[0]), row[1], row[2]) if row else None


async def touch_session(session: Session, id_hash: bytes, ttl: timedelta) -> None:
    """Write down that a session is in use, which prolongs it."""
    await session.execute(
        update(SessionModel)
        .where(SessionModel.id_hash == id_hash)
        .values(last_seen_at=func.now(), expires_at=_from_now(ttl))
    )


async def remove_session(session: Session, id_hash: bytes) -> UUID | None:
    """Remove a session; returns its grant."""
    removed = await session.execute(
        delete(SessionModel).where(SessionModel.id_hash == id_hash).returning(SessionModel.grant_id)
    )
    return removed.scalar_one_or_none()


async def remove_expired(session: Session, keep_ended: timedelta) -> list[UUID]:
    """Remove what is over; returns the grants that nobody can use any more."""
    await session.execute(delete(OAuthAttempt).where(OAuthAttempt.expires_at < func.now()))
    loose: list[UUID] = []
    for model in (ExchangeToken, SessionModel):
        gone = await session.execute(delete(model).where(model.expires_at < func.now()).returning(model.grant_id))
        loose.extend(gone.scalars())
    in_use = exists().where(SessionModel.grant_id == OAuthGrant.id)
    await session.execute(delete(OAuthGrant).where(OAuthGrant.ended_at < _from_now(-keep_ended), ~in_use))
    return loose


async def list_grants_with_secrets(session: Session, after: UUID, limit: int) -> list[GrantRow]:
    """Return grants in the order of their ids and lock them, to encrypt their secrets anew."""
    statement = (
        select(*_GRANT)
        .where(OAuthGrant.id > after, OAuthGrant.status != "ended")
        .order_by(OAuthGrant.id)
        .limit(limit)
        .with_for_update()
    )
    return [_grant_row(row) for row in (await session.execute(statement)).mappings()]


async def replace_secrets(session: Session, grants: Sequence[Mapping[str, Any]]) -> None:
    """Write secrets encrypted anew; `grant_id` says whose they are."""
    statement = update(OAuthGrant).where(OAuthGrant.id == bindparam("grant_id"))
    connection = await session.connection()
    await connection.execute(statement, list(grants))
