"""Encryption of what we hold for others, each ciphertext bound to the place it belongs to."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class VaultError(Exception):
    """A ciphertext that no key opens, or that was moved from another place."""


class Vault:
    """Encrypts with the newest key, decrypts with any.

    shape:  a purpose names the place of a ciphertext, e.g. `oauth_grants.access_token:<id>`; it is inside what is
            encrypted, so a ciphertext copied to another row or column does not open there
    errors: ValueError from the constructor for anything that is not a Fernet key
    """

    def __init__(self, keys: list[str]) -> None:
        if not keys:
            raise ValueError("the vault needs at least one key")
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, purpose: str, secret: str) -> bytes:
        """Return a secret as ciphertext for one place."""
        return self._fernet.encrypt(_label(purpose) + secret.encode())

    def decrypt(self, purpose: str, ciphertext: bytes) -> str:
        """Return the secret of a ciphertext of this place. errors: VaultError."""
        try:
            opened = self._fernet.decrypt(ciphertext)
        except InvalidToken:
            raise VaultError(f"no key opens {purpose.partition(':')[0]}") from None
        if not opened.startswith(_label(purpose)):
            raise VaultError(f"a ciphertext at {purpose.partition(':')[0]} belongs elsewhere")
        return opened.removeprefix(_label(purpose)).decode()

    def rotate(self, ciphertext: bytes) -> bytes:
        """Return the same secret under the newest key. errors: VaultError."""
        try:
            return self._fernet.rotate(ciphertext)
        except InvalidToken:
            raise VaultError("no key opens this ciphertext") from None


def open_vault(encryption_keys: str) -> Vault:
    """Return the vault of a deployment's comma-separated keys, newest first. errors: ValueError."""
    return Vault([key.strip() for key in encryption_keys.split(",") if key.strip()])


def _label(purpose: str) -> bytes:
    return purpose.encode() + b"\x00"
