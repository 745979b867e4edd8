"""EC keys as JWKs, and the JWTs signed with them (ES256)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_SIZE = 32


def base64url(data: bytes) -> str:
    """Return bytes as base64url without padding, as JOSE writes them."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sha256_url(text: str) -> str:
    """Return the SHA-256 of an ASCII text as base64url: PKCE challenges, token hashes."""
    return base64url(hashlib.sha256(text.encode()).digest())


class SigningKey:
    """A private P-256 key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "SigningKey(…)"

    @classmethod
    def generate(cls) -> Self:
        """Return a new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the key of a private EC JWK. errors: ValueError for anything else."""
        if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or not isinstance(jwk.get("d"), str):
            raise ValueError("not a private P-256 JWK")
        private = int.from_bytes(base64.urlsafe_b64decode(jwk["d"] + "==="), "big")
        return cls(ec.derive_private_key(private, ec.SECP256R1()))

    def private_jwk(self) -> dict[str, str]:
        """Return the whole key as a JWK: a secret."""
        private = self._key.private_numbers().private_value
        return {**self.public_jwk(), "d": base64url(private.to_bytes(_SIZE, "big"))}

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JWK."""
        point = self._key.public_key().public_numbers()
        x, y = (base64url(number.to_bytes(_SIZE, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign_jwt(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """Return a compact JWT over the claims, `alg` set to ES256."""
        parts = ({"alg": "ES256", **header}, claims)
        signed = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{base64url(r.to_bytes(_SIZE, 'big') + s.to_bytes(_SIZE, 'big'))}"
