"""Requests that prove the possession of a key (DPoP, RFC 9449), with the nonces servers hand out.

every answer's nonce is kept, per origin. a request that is refused for its nonce is built again, whole: a fresh
proof, whatever `build` makes fresh (a client assertion), the same body from its first byte. once.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plyr.atproto.guarded import Answer, Body, GuardedClient
from plyr.atproto.oauth.keys import SigningKey, sha256_url

_ORIGINS = 2000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it is sent once: headers and body."""

    headers: Mapping[str, str] = field(default_factory=dict)
    content: Body | None = None


def origin_of(url: str) -> str:
    """Return the scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class DpopSender:
    """Sends requests with proofs; holds the nonces of this process."""

    def __init__(self, http: GuardedClient) -> None:
        self._http = http
        self._nonces: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def nonce_age_s(self, url: str) -> float:
        """Return how long ago the server of a URL last told a nonce; infinite if it never did."""
        _, told_at = self._nonces.get(origin_of(url), ("", float("-inf")))
        return time.monotonic() - told_at

    async def send(
        self,
        key: SigningKey,
        method: str,
        url: str,
        build: Callable[[], Outgoing],
        *,
        access_token: str | None = None,
        deadline_s: float = 10.0,
        max_bytes: int = 1024 * 1024,
    ) -> Answer:
        """Send a request, again if the server asks for another nonce, and return the last answer.

        units:  the deadline is that of each of the at most two requests
        errors: those of the guarded client
        """
        answer = await self._send_once(key, method, url, build(), access_token, deadline_s, max_bytes)
        if wants_nonce(answer):
            answer = await self._send_once(key, method, url, build(), access_token, deadline_s, max_bytes)
        return answer

    async def _send_once(
        self,
        key: SigningKey,
        method: str,
        url: str,
        outgoing: Outgoing,
        access_token: str | None,
        deadline_s: float,
        max_bytes: int,
    ) -> Answer:
        headers = {**outgoing.headers, "dpop": self._proof(key, method, url, access_token)}
        if access_token is not None:
            headers["authorization"] = f"DPoP {access_token}"
        answer = await self._http.request(
            method, url, headers=headers, content=outgoing.content, deadline_s=deadline_s, max_bytes=max_bytes
        )
        nonce = answer.headers.get("dpop-nonce", "")
        if nonce and len(nonce) <= 1000:
            self._nonces[origin_of(url)] = (nonce, time.monotonic())
            self._nonces.move_to_end(origin_of(url))
            if len(self._nonces) > _ORIGINS:
                self._nonces.popitem(last=False)
        return answer

    def _proof(self, key: SigningKey, method: str, url: str, access_token: str | None) -> str:
        claims: dict[str, object] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": origin_of(url) + urlsplit(url).path,
            "iat": int(time.time()),
        }
        if origin_of(url) in self._nonces:
            claims["nonce"] = self._nonces[origin_of(url)][0]
        if access_token is not None:
            claims["ath"] = sha256_url(access_token)
        return key.sign_jwt({"typ": "dpop+jwt", "jwk": key.public_jwk()}, claims)


def wants_nonce(answer: Answer) -> bool:
    """Tell whether a request was refused only because its proof lacked the server's present nonce."""
    if answer.status not in (400, 401) or "dpop-nonce" not in answer.headers:
        return False
    return "use_dpop_nonce" in answer.headers.get("www-authenticate", "") or b'"use_dpop_nonce"' in answer.body
