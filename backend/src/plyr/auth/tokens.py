"""Secrets that others keep for us: random, and only ever stored as their hash."""

import hashlib
import secrets


def new_secret() -> str:
    """Return 256 random bits as text that is safe in a URL."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a secret. One round is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
