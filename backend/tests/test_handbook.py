"""the handbook: its links resolve, and what it lists is what the code has."""

import re
from pathlib import Path

import pytest

from plyr.api.app import create_app

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")})
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FILES = re.compile(r"`((?:backend|frontend|devstack|atmosphere|bench|docs|lexicons)/[\w./*-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_every_link_and_named_file_exists(page: Path) -> None:
    text = page.read_text()
    targets = [link for link in LINK.findall(text) if "://" not in link]
    broken = [link for link in targets if not (page.parent / link).exists()]
    broken += [name for name in FILES.findall(text) if not list(ROOT.glob(name.rstrip("/")))]
    assert broken == []


def test_routes_page_lists_every_route_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([A-Z]+ [^`]+)`", (ROOT / "docs/backend/routes.md").read_text(), re.MULTILINE))
    paths = create_app(None).openapi()["paths"]
    real = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert listed == real
