"""Sign-in, from a name to a session.

start → the person approves at their provider → finish → a one-time token in the browser → exchange → a session.
each step is bound to the browser that began it by a secret in its cookie.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import structlog

from plyr.artists import service as artists
from plyr.atproto.errors import AtprotoError, HostUnreachable, UrlRefused
from plyr.atproto.identity import Identity
from plyr.atproto.identity.errors import DidDocumentInvalid, IdentityError
from plyr.atproto.oauth import AuthServer, SigningKey, Tokens, covers
from plyr.atproto.oauth.errors import GrantRefused
from plyr.auth import repo
from plyr.auth.errors import SignInFailed, SignInReason
from plyr.auth.resources import AuthResources
from plyr.auth.service.grants import seal_grant
from plyr.auth.service.sessions import begin_session
from plyr.auth.tokens import hash_secret, new_secret
from plyr.auth.vault import Vault, VaultError
from plyr.auth.views import AttemptRow
from plyr.kit.ids import Did, Handle
from plyr.outbox import service as outbox
from plyr.repos import service as repos

ATTEMPT_TTL = timedelta(minutes=15)
EXCHANGE_TTL = timedelta(seconds=60)
START_S = 20.0
FINISH_S = 30.0

_REASONS: dict[str, SignInReason] = {
    "invalid_request": "invalid_request",
    "handle_not_found": "handle_not_found",
    "handle_unverified": "handle_unverified",
    "identity_mismatch": "identity_mismatch",
    "provider_unreachable": "provider_unreachable",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """Where the browser goes next, and the secret it is to keep in a cookie."""

    authorize_url: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What a provider sent the browser back with."""

    state: str | None = field(repr=False)
    issuer: str | None
    code: str | None = field(repr=False)
    error: str | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun."""

    session_id: str = field(repr=False)
    did: Did
    handle: Handle | None
    has_profile: bool
    return_to: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    row: AttemptRow
    verifier: str = field(repr=False)
    dpop_key: SigningKey


async def start(resources: AuthResources, asked: str, return_to: str, browser: str | None) -> StartedSignIn:
    """Begin a sign-in for a handle, a DID or the URL of a server.

    shape:  `browser` is the secret this browser has from an earlier start, so that two tabs do not disturb each other
    errors: SignInFailed
    cost:   at most 20 s: six requests and the authorization request
    """
    asked = asked.strip()[:2048]
    try:
        async with _within(START_S):
            expected, hint, server = await _find_server(resources, asked)
            begun = await resources.oauth.authorize(server, hint)
    except AtprotoError as error:
        raise _failed(error, asked, return_to) from error
    browser = browser or new_secret()
    state_hash = hash_secret(begun.state)
    secrets = json.dumps({"verifier": begun.verifier, "dpop_key": begun.dpop_key.private_jwk()})
    app = resources.oauth.app
    values = {
        "state_hash": state_hash,
        "browser_hash": hash_secret(browser),
        "asked": asked,
        "return_to": return_to,
        "expected_did": expected,
        "issuer": server.issuer,
        "client_id": app.client_id,
        "client_key_id": begun.client_key_id,
        "scope": app.scope,
        "secrets": resources.vault.encrypt(_purpose(state_hash), secrets),
    }
    async with resources.db.begin() as session:
        await repo.add_attempt(session, values, ATTEMPT_TTL)
    return StartedSignIn(begun.url, browser)


async def finish(resources: AuthResources, answer: CallbackAnswer, browser: str | None) -> str:
    """Check a callback, take the grant it stands for, and return the one-time exchange token.

    errors: SignInFailed for every way this can go wrong
    cost:   at most 30 s: seven requests
    """
    attempt = await _take_attempt(resources, answer, browser)
    row = attempt.row
    try:
        async with _within(FINISH_S):
            tokens, identity = await _take_grant(resources, attempt, answer)
    except SignInFailed as failure:
        failure.asked, failure.return_to = row.asked, row.return_to
        raise
    except AtprotoError as error:
        raise _failed(error, row.asked, row.return_to) from error
    grant_id, token = uuid4(), new_secret()
    grant = {
        "id": grant_id,
        "did": tokens.did,
        "pds_url": identity.pds_url,
        "issuer": row.issuer,
        "client_id": resources.oauth.app.client_id,
        "client_key_id": row.client_key_id,
        **seal_grant(resources.vault, grant_id, tokens, attempt.dpop_key),
    }
    exchange_row = {
        "token_hash": hash_secret(token),
        "browser_hash": hash_secret(browser or ""),
        "grant_id": grant_id,
        "return_to": row.return_to,
    }
    async with resources.db.begin() as session:
        await artists.remember_identity(session, identity.did, identity.handle, identity.pds_url)
        await repos.welcome(session, identity.did, identity.pds_url)
        await repo.add_grant(session, grant)
        await repo.add_exchange_token(session, exchange_row, EXCHANGE_TTL)
    return token


async def exchange(resources: AuthResources, token: str, browser: str | None) -> SignedIn:
    """Turn a one-time token into a session and let the account's waiting writes go on.

    errors: SignInFailed (`exchange_expired`) for a token that is used, over 60 s old, or another browser's
    """
    async with resources.db.begin() as session:
        taken = await repo.take_exchange_token(session, hash_secret(token), hash_secret(browser or ""))
        grant = await repo.find_grant(session, taken[0]) if taken else None
        if taken is None or grant is None:
            raise SignInFailed("exchange_expired", "this sign-in was finished already, or took too long; start it anew")
        session_id = await begin_session(session, grant.did, grant.id)
        await outbox.resume(session, grant.did)
        artist = await artists.get(session, grant.did)
    log.info("signed_in", did=grant.did)
    has_profile = artist is not None and artist.has_profile
    return SignedIn(session_id, grant.did, artist.handle if artist else None, has_profile, taken[1])


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise HostUnreachable(f"your provider did not answer within {seconds:.0f} seconds") from None


async def _find_server(resources: AuthResources, asked: str) -> tuple[Did | None, str | None, AuthServer]:
    oauth = resources.oauth
    if asked.startswith(("https://", "http://")):
        return None, None, await oauth.discovery.server_at(asked)
    identity = await oauth.identities.resolve(asked)
    server = await oauth.discovery.server(await oauth.discovery.issuer_of(identity.pds_url))
    return identity.did, identity.handle or identity.did, server


async def _take_attempt(resources: AuthResources, answer: CallbackAnswer, browser: str | None) -> _Attempt:
    if not answer.state:
        raise SignInFailed("invalid_request", "the provider sent no sign-in back")
    state_hash = hash_secret(answer.state)
    async with resources.db.begin() as session:
        row = await repo.take_attempt(session, state_hash, hash_secret(browser or ""))
        is_elsewhere = row is None and await repo.is_attempt_open(session, state_hash)
    if is_elsewhere:
        raise SignInFailed("wrong_browser", "this sign-in was begun in another browser; finish it there, or start anew")
    if row is None:
        raise SignInFailed("expired", "this sign-in was finished already, or took too long; start it anew")
    return _opened(resources.vault, row)


def _opened(vault: Vault, row: AttemptRow) -> _Attempt:
    try:
        secrets = json.loads(vault.decrypt(_purpose(row.state_hash), row.secrets))
    except VaultError:
        raise SignInFailed(
            "expired", "our keys changed meanwhile; start anew", asked=row.asked, return_to=row.return_to
        ) from None
    return _Attempt(row, secrets["verifier"], SigningKey.from_jwk(secrets["dpop_key"]))


async def _take_grant(resources: AuthResources, attempt: _Attempt, answer: CallbackAnswer) -> tuple[Tokens, Identity]:
    row = attempt.row
    if answer.issuer != row.issuer:
        raise SignInFailed("identity_mismatch", "the answer came from another provider than the one asked")
    if answer.error is not None:
        denied = answer.error == "access_denied"
        raise SignInFailed(
            "denied" if denied else "provider_refused",
            "you did not allow it, so nothing happened" if denied else f"your provider said: {answer.error[:100]}",
        )
    if not answer.code:
        raise SignInFailed("invalid_request", "the provider sent no code back")
    server = await resources.oauth.discovery.server(row.issuer)
    tokens = await resources.oauth.exchange(server, answer.code, attempt.verifier, attempt.dpop_key, row.client_key_id)
    try:
        return tokens, await _proven_identity(resources, row, tokens)
    except (SignInFailed, AtprotoError):
        with contextlib.suppress(AtprotoError):
            await resources.oauth.revoke(server, tokens.refresh_token, attempt.dpop_key, row.client_key_id)
        raise


async def _proven_identity(resources: AuthResources, row: AttemptRow, tokens: Tokens) -> Identity:
    if row.expected_did is not None and tokens.did != row.expected_did:
        raise SignInFailed("wrong_account", f"you signed in as another account than {row.asked}")
    oauth = resources.oauth
    identity = await oauth.identities.resolve(tokens.did, fresh=True)
    if await oauth.discovery.issuer_of(identity.pds_url, fresh=True) != row.issuer:
        raise SignInFailed("identity_mismatch", "the provider that answered is not responsible for this account")
    if not covers(tokens.scope, oauth.app.scope):
        raise SignInFailed("provider_refused", "your provider did not give the permissions that were asked for")
    return identity


def _failed(error: AtprotoError, asked: str, return_to: str) -> SignInFailed:
    reason = _REASONS.get(error.code, "provider_refused")
    if isinstance(error, UrlRefused) and "://" in asked:
        reason = "invalid_request"
    known = isinstance(error, (IdentityError, HostUnreachable, GrantRefused)) and not isinstance(
        error, DidDocumentInvalid
    )
    if not known:
        log.warning("sign_in_failed", reason=reason, error=error.detail)
    return SignInFailed(reason, error.detail, asked=asked, return_to=return_to)


def _purpose(state_hash: bytes) -> str:
    return f"oauth_attempts.secrets:{state_hash.hex()}"
