"""settings: what is missing or unusable is named, and the process does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from devstack.paths import BACKEND_SRC
from plyr.config import Settings

REQUIRED = {
    "DATABASE_URL": "postgresql://app@/plyr?host=/tmp",
    "STORAGE_URL": "file:///tmp/storage",
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "WEB_ORIGIN": "http://127.0.0.1:5173",
}


def _start(command: str, settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND_SRC), **settings}
    return subprocess.run(
        [sys.executable, "-m", "plyr", command], env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", ["api", "worker", "migrate"])
@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_start_without_a_required_setting_refuses_and_names_it(command: str, missing: str) -> None:
    done = _start(command, {name: value for name, value in REQUIRED.items() if name != missing})
    assert done.returncode == 2
    assert f"refusing to start: {missing} is not set" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ENCRYPTION_KEYS": "not-a-key"}, "ENCRYPTION_KEYS"),
        ({"WEB_ORIGIN": "plyr.example/path"}, "WEB_ORIGIN"),
        ({"WEB_ORIGIN": "https://plyr.example"}, "OAUTH_CLIENT_KEYS is required"),
        (
            {"WEB_ORIGIN": "https://plyr.example", "OAUTH_CLIENT_KEYS": "[]", "ATPROTO_ALLOW_LOOPBACK": "true"},
            "LOOPBACK",
        ),
        ({"LEXICON_DIR": "/nowhere"}, "LEXICON_DIR"),
        ({"UPLOAD_MAX_MB": "many"}, "UPLOAD_MAX_MB"),
    ],
)
def test_start_with_an_unusable_setting_refuses_and_says_why(changed: dict[str, str], says: str) -> None:
    done = _start("api", REQUIRED | changed)
    assert done.returncode == 2
    assert says in done.stderr
    assert "not-a-key" not in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_secrets_do_not_show_when_printed(settings: Settings) -> None:
    assert settings.encryption_keys.get_secret_value() not in repr(settings)


def test_handle_servers_suffixes_are_read(settings: Settings) -> None:
    some = settings.model_copy(
        update={"atproto_handle_servers": ".test=http://localhost:1, .two.test=http://localhost:2"}
    )
    assert some.handle_servers == {".test": "http://localhost:1", ".two.test": "http://localhost:2"}


def test_settings_every_one_is_in_the_handbook() -> None:
    page = (Path(__file__).parents[2] / "docs/backend/settings.md").read_text()
    missing = [name.upper() for name in Settings.model_fields if f"`{name.upper()}`" not in page]
    assert missing == []
