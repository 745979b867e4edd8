"""secrets: made once, readable by their owner only."""

from pathlib import Path

from devstack import secrets


def test_load_again_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "new" / "secrets.json"
    first = secrets.load(file)
    assert secrets.load(file) == first
    assert file.stat().st_mode & 0o777 == 0o600


def test_load_after_a_write_cut_short_begins_afresh(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.with_suffix(".new").write_text("{")
    assert "ENCRYPTION_KEYS" in secrets.load(file)
