"""the secrets of one development machine: made once, kept beside the data, worth nothing elsewhere."""

import json
import os
from pathlib import Path

from cryptography.fernet import Fernet


def load(file: Path) -> dict[str, str]:
    """return the secrets of `file` as environment variables, making them first if it is not there.

    the file is readable by its owner only; a start that is killed half-way leaves no half of it.
    """
    if not file.is_file():
        _write(file, {"ENCRYPTION_KEYS": Fernet.generate_key().decode()})
    found: dict[str, str] = json.loads(file.read_text())
    return found


def _write(file: Path, secrets: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(secrets, out, indent=2)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(file)
