"""secrets at rest: for one place only, under keys that can change."""

import pytest
from cryptography.fernet import Fernet

from plyr.auth.vault import Vault, VaultError, open_vault


def keys(count: int) -> list[str]:
    return [Fernet.generate_key().decode() for _ in range(count)]


def test_decrypt_returns_what_was_encrypted() -> None:
    vault = Vault(keys(1))
    sealed = vault.encrypt("a.b:1", "sécret")
    assert vault.decrypt("a.b:1", sealed) == "sécret"
    assert b"cret" not in sealed


@pytest.mark.parametrize("place", ["a.b:2", "a.c:1", "a.b:", "a.b:11", ""])
def test_decrypt_at_another_place_is_refused(place: str) -> None:
    vault = Vault(keys(1))
    sealed = vault.encrypt("a.b:1", "x")
    with pytest.raises(VaultError):
        vault.decrypt(place, sealed)


def test_decrypt_with_an_old_key_works_until_it_is_retired() -> None:
    old, new = keys(2)
    sealed = Vault([old]).encrypt("p", "x")
    both = Vault([new, old])
    assert both.decrypt("p", sealed) == "x"
    with pytest.raises(VaultError):
        Vault([new]).decrypt("p", sealed)
    assert Vault([new]).decrypt("p", both.rotate(sealed)) == "x"


@pytest.mark.parametrize("setting", ["", " , ", "not a key"])
def test_open_vault_without_a_usable_key_refuses(setting: str) -> None:
    with pytest.raises(ValueError):
        open_vault(setting)
