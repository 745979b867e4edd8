"""settings that are well-formed and still cannot be run with: refused by name before anything starts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from devstack.paths import BACKEND, BACKEND_SRC
from plyr.atproto.oauth import SigningKey

BASE = {
    "DATABASE_URL": "postgresql://nobody@/nowhere",
    "STORAGE_URL": "file:///nonexistent",
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "WEB_ORIGIN": "http://127.0.0.1:5173",
}
PUBLIC_KEY = json.dumps([{**SigningKey.generate().public_jwk(), "kid": "a"}])


@pytest.mark.parametrize("process", ["api", "worker"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"LEXICON_DIR": "EMPTY"}, "lacks fm.plyr.track"),
        ({"WEB_ORIGIN": "https://app.example.com", "OAUTH_CLIENT_KEYS": PUBLIC_KEY}, "private P-256 JWKs"),
        ({"WEB_ORIGIN": "http://localhost:5173"}, "http://127.0.0.1"),
    ],
)
def test_process_with_unusable_settings_refuses_to_start(
    process: str, changes: dict[str, str], said: str, tmp_path: Path
) -> None:
    given = {name: str(tmp_path) if value == "EMPTY" else value for name, value in (BASE | changes).items()}
    command = [sys.executable, "-m", "plyr", process]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND_SRC), **given}
    done = subprocess.run(command, cwd=BACKEND, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("refusing to start: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
