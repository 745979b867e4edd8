"""Calls of a user's PDS in their name, with whatever it takes to keep being allowed to."""

from collections.abc import Mapping
from typing import Any

from plyr.atproto import xrpc
from plyr.atproto.errors import AnswerUnusable, HostUnreachable, UrlRefused
from plyr.atproto.guarded import Body
from plyr.atproto.xrpc import Method, XrpcCall, XrpcResponse
from plyr.auth.errors import GrantExpired, PdsRefused, PdsUnreachable, RateLimited
from plyr.auth.resources import AuthResources
from plyr.auth.service import grants
from plyr.auth.service.grants import OpenGrant
from plyr.kit.ids import Did

_MAX_BYTES = 4 * 1024 * 1024
_LONGEST_PAUSE_S = 3600.0


async def call(
    resources: AuthResources,
    did: Did,
    method: Method,
    nsid: str,
    *,
    params: Mapping[str, str] | None = None,
    json: Mapping[str, Any] | None = None,
    content: Body | None = None,
    content_length: int | None = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = _MAX_BYTES,
) -> XrpcResponse:
    """Call an XRPC method of an account's PDS and return its answer, which is a success.

    shape:  a streamed `content` is a function that starts the stream anew, since a call may be sent up to three times
    errors: GrantMissing, GrantExpired (the account must sign in); PdsUnreachable (5xx included; what the PDS did is
            not known); PdsRefused (4xx); RateLimited
    cost:   one query and one request; a refresh when the access token is over
    """
    request = XrpcCall(method, nsid, params, json, content, content_length, headers)
    while True:
        grant = await grants.open_newest(resources, did)
        try:
            return _judged(await _send(resources, grant, request, max_bytes))
        except GrantExpired:
            # an older sign-in of the same account may still be good; without one this raises GrantMissing
            continue


async def _send(resources: AuthResources, grant: OpenGrant, request: XrpcCall, max_bytes: int) -> XrpcResponse:
    if grants.expires_soon(grant):
        grant = await grants.renew(resources, grant)
    answer = await _send_once(resources, grant, request, max_bytes)
    if _is_token_dead(answer):
        grant = await grants.renew(resources, grant)
        answer = await _send_once(resources, grant, request, max_bytes)
    return answer


async def _send_once(resources: AuthResources, grant: OpenGrant, request: XrpcCall, max_bytes: int) -> XrpcResponse:
    try:
        return await xrpc.send(
            resources.oauth.sender,
            grant.pds_url,
            request,
            dpop_key=grant.dpop_key,
            access_token=grant.access_token,
            max_bytes=max_bytes,
        )
    except (HostUnreachable, AnswerUnusable, UrlRefused) as error:
        raise PdsUnreachable(error.detail) from error


def _is_token_dead(answer: XrpcResponse) -> bool:
    if answer.status != 401:
        return False
    challenge = answer.headers.get("www-authenticate", "").lower()
    return "invalid_token" in challenge or answer.error.lower() in ("invalid_token", "invalidtoken", "expiredtoken")


def _judged(answer: XrpcResponse) -> XrpcResponse:
    if answer.status < 300:
        return answer
    if answer.status == 429:
        raise RateLimited(_retry_after_s(answer.headers))
    if answer.status >= 500 or answer.status < 400:
        said = ": ".join(part for part in (answer.error, answer.message) if part)
        raise PdsUnreachable(f"your server answered {answer.status} {said}".strip())
    raise PdsRefused(answer.status, answer.error, answer.message)


def _retry_after_s(headers: Mapping[str, str]) -> float:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        seconds = 30.0
    return min(max(seconds, 1.0), _LONGEST_PAUSE_S)
