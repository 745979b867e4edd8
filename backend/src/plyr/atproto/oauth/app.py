"""What we are to authorization servers: a loopback client in development, a confidential one in production.

source: https://atproto.com/specs/oauth#clients
"""

import json
import secrets
import time
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from plyr.atproto.oauth.errors import ClientKeyGone
from plyr.atproto.oauth.keys import SigningKey

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_S = 60


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key we authenticate with, and the name it has in our JWKS."""

    key_id: str
    key: SigningKey


@dataclass(frozen=True, slots=True)
class ClientApp:
    """Our OAuth client: confidential when it has keys.

    shape:  `keys` newest first; the first makes new grants, the others keep the grants they made alive, and step in
            where a server has not read the first yet
    """

    client_id: str
    redirect_uri: str
    scope: str
    origin: str
    keys: tuple[ClientKey, ...] = ()

    @property
    def key_ids(self) -> tuple[str | None, ...]:
        """The keys to make a new grant with, best first; a single None for a client without keys."""
        return tuple(entry.key_id for entry in self.keys) or (None,)

    def metadata(self) -> dict[str, object]:
        """Return the client metadata document that servers read."""
        document: dict[str, object] = {
            "client_id": self.client_id,
            "client_name": "plyr.fm",
            "client_uri": self.origin,
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": self.scope,
            "dpop_bound_access_tokens": True,
        }
        if not self.keys:
            return {**document, "application_type": "native", "token_endpoint_auth_method": "none"}
        return {
            **document,
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks_uri": f"{self.origin}/api/.well-known/jwks.json",
        }

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public half of every key, old ones included."""
        more = {"use": "sig", "alg": "ES256"}
        return {"keys": [{**entry.key.public_jwk(), "kid": entry.key_id, **more} for entry in self.keys]}

    def authentication(self, issuer: str, key_id: str | None) -> dict[str, str]:
        """Return the form fields that say, and for a confidential client prove, who we are; fresh each time.

        errors: ClientKeyGone
        """
        if key_id is None:
            return {"client_id": self.client_id}
        key = next((entry.key for entry in self.keys if entry.key_id == key_id), None)
        if key is None:
            raise ClientKeyGone("the key this sign-in was made with was retired; sign in again")
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + _ASSERTION_S,
        }
        assertion = key.sign_jwt({"typ": "JWT", "kid": key_id}, claims)
        return {"client_id": self.client_id, "client_assertion_type": _ASSERTION, "client_assertion": assertion}


def build_app(web_origin: str, scope: str, keys_json: str | None) -> ClientApp:
    """Return the client of a deployment.

    shape:  `keys_json` is a list of private EC JWKs with `kid`, newest first; only used on https
    errors: ValueError naming what is wrong with the keys; servers take an http client on 127.0.0.1 only
    """
    redirect_uri = f"{web_origin}/api/auth/callback"
    if web_origin.startswith("https://"):
        keys = parse_keys(keys_json or "[]")
        if not keys:
            raise ValueError("a client on https needs at least one key")
        return ClientApp(f"{web_origin}/api/oauth-client-metadata.json", redirect_uri, scope, web_origin, keys)
    if urlsplit(web_origin).hostname not in ("127.0.0.1", "::1"):
        raise ValueError("without https, people must visit http://127.0.0.1: sign-in accepts no other name")
    query = urlencode({"redirect_uri": redirect_uri, "scope": scope}, quote_via=quote)
    return ClientApp(f"http://localhost?{query}", redirect_uri, scope, web_origin)


def parse_keys(keys_json: str) -> tuple[ClientKey, ...]:
    """Return the keys of a JSON list of private EC JWKs. errors: ValueError, never showing a key."""
    try:
        entries = json.loads(keys_json)
        keys = tuple(ClientKey(str(entry["kid"]), SigningKey.from_jwk(entry)) for entry in entries)
    except (ValueError, TypeError, KeyError):
        raise ValueError("must be a JSON list of private P-256 JWKs, each with a kid") from None
    if len({key.key_id for key in keys}) != len(keys):
        raise ValueError("two keys have the same kid")
    return keys
