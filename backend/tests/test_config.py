"""settings: what is missing or unusable is named, and the process does not start."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from devstack.paths import BACKEND_SRC
from plyr.config import Settings, load_settings

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
def test_start_without_settings_refuses_and_names_each(command: str) -> None:
    done = _start(command, {})
    assert done.returncode == 2
    for name in REQUIRED:
        assert f"refusing to start: {name} is not set" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_load_settings_without_one_names_that_one(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _refused(REQUIRED | {missing: None}, monkeypatch)
    assert capsys.readouterr().err.startswith(f"refusing to start: {missing} is not set\n")


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
        ({"INGEST_HOSTS": "https://relay.example"}, "INGEST_HOSTS"),
        ({"INGEST_SOURCE": "subscribe_repos", "INGEST_HOSTS": "wss://a.example,wss://b.example"}, "exactly one host"),
        ({"UPLOAD_MAX_MB": "many"}, "UPLOAD_MAX_MB"),
    ],
)
def test_load_settings_unusable_one_says_why_without_showing_it(
    changed: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _refused(REQUIRED | changed, monkeypatch)
    said = capsys.readouterr().err
    assert says in said
    assert "not-a-key" not in said


def _refused(values: Mapping[str, str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in values.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refusal:
        load_settings()
    assert refusal.value.code == 2


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
