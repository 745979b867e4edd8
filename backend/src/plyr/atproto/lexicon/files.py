"""The lexicon files: found, read, and rewritten to the namespace of this process."""

import json
from pathlib import Path
from typing import Any

from plyr.atproto.lexicon.validate import Lexicons

NAMESPACE = "fm.plyr"
"""the namespace the files are written in"""
RECORDS = ("track", "like", "comment", "list", "actor.profile")
"""the collections without which the service cannot run"""

Document = dict[str, Any]


class LexiconsMissing(ValueError):
    """The contract of our records is not there, or not readable; without it nothing may start."""


def read_documents(directory: Path) -> list[Document]:
    """Return every lexicon of a folder, in the order of their ids.

    errors: LexiconsMissing naming what is absent, broken, or not where its id says
    """
    documents = [_read(directory, path) for path in sorted(directory.rglob("*.json"))]
    known = {document["id"] for document in documents}
    absent = [f"{NAMESPACE}.{name}" for name in RECORDS if f"{NAMESPACE}.{name}" not in known]
    if absent:
        raise LexiconsMissing(f"{directory} lacks {', '.join(absent)}")
    return sorted(documents, key=lambda document: str(document["id"]))


def load_lexicons(directory: Path, namespace: str) -> Lexicons:
    """Return the lexicons of a process, its own ones moved to its namespace. errors: LexiconsMissing."""
    documents = [_moved(document, namespace) for document in read_documents(directory)]
    return Lexicons({document["id"]: document["defs"] for document in documents})


def _read(directory: Path, path: Path) -> Document:
    expected = ".".join(path.relative_to(directory).with_suffix("").parts)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LexiconsMissing(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("lexicon") != 1 or document.get("id") != expected:
        raise LexiconsMissing(f"{path} is not the lexicon {expected}")
    return document


def _moved(value: Any, namespace: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _moved_id(item, namespace) if name in ("id", "ref") else _moved(item, namespace)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_moved_id(item, namespace) for item in value]
    return value


def _moved_id(value: Any, namespace: str) -> Any:
    if isinstance(value, str) and (value == NAMESPACE or value.startswith(f"{NAMESPACE}.")):
        return namespace + value.removeprefix(NAMESPACE)
    return _moved(value, namespace)
