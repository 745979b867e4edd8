"""Writes the types of our records, for python and for TypeScript, from the lexicon files.

python -m plyr.atproto.lexicon.generate            write both files
python -m plyr.atproto.lexicon.generate --check    only tell whether they are up to date (exit code 1 if not)
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plyr.atproto.lexicon.files import read_documents
from plyr.atproto.lexicon.shapes import Field, Shape, list_shapes

ROOT = Path(__file__).resolve().parents[5]
LEXICONS = ROOT / "lexicons"
PYTHON = Path(__file__).with_name("generated.py")
TYPESCRIPT = ROOT / "frontend/src/lib/lexicons/generated.ts"

_PYTHON_HEAD = '''"""The records of our lexicons.

Written by `python -m plyr.atproto.lexicon.generate`; change `lexicons/` instead.
"""

from dataclasses import dataclass
from typing import ClassVar

from plyr.atproto.lexicon.record import Blob, LexObject, LexRecord
'''
_TYPESCRIPT_HEAD = """// the records of our lexicons.
// written by `python -m plyr.atproto.lexicon.generate`; change `lexicons/` instead.

export interface Blob {
\t$type: 'blob';
\tref: { $link: string };
\tmimeType: string;
\tsize: number;
}
"""
_PYTHON_TYPES = {"string": "str", "integer": "int", "boolean": "bool", "blob": "Blob"}
_TYPESCRIPT_TYPES = {"string": "string", "integer": "number", "boolean": "boolean", "blob": "Blob"}


def render(directory: Path) -> dict[Path, str]:
    """Return what the generated files must hold. errors: LexiconsMissing."""
    shapes = list_shapes(read_documents(directory))
    return {
        PYTHON: _PYTHON_HEAD + "".join(_python_class(shape) for shape in shapes),
        TYPESCRIPT: _TYPESCRIPT_HEAD + "".join(_interface(shape) for shape in shapes),
    }


def list_stale(directory: Path = LEXICONS) -> list[Path]:
    """Return the generated files that are not what the lexicons say."""
    return [path for path, text in render(directory).items() if not path.is_file() or path.read_text("utf-8") != text]


def main(arguments: list[str]) -> int:
    """Write the files, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m plyr.atproto.lexicon.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is stale")
    if parser.parse_args(arguments).check:
        stale = list_stale()
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)}; run python -m plyr.atproto.lexicon.generate", file=sys.stderr)
        return 1 if stale else 0
    for path, text in render(LEXICONS).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def _python_class(shape: Shape) -> str:
    lines = ["", "", "@dataclass(frozen=True, slots=True, kw_only=True)"]
    lines.append(f"class {shape.name}({'LexRecord' if shape.collection else 'LexObject'}):")
    lines += [f'    """{shape.description[:1].upper()}{shape.description[1:]}."""', ""]
    if shape.collection:
        lines += [f'    collection: ClassVar[str] = "{shape.collection}"', ""]
    for field in sorted(shape.fields, key=lambda field: not field.is_required):
        kind = _type_of(field.schema, _PYTHON_TYPES, "list[{}]", " | ")
        lines.append(f"    {_snake(field.name)}: {kind}" + ("" if field.is_required else " | None = None"))
        lines += [f'    """{field.note}"""'] if field.note else []
    return "\n".join(lines) + "\n"


def _interface(shape: Shape) -> str:
    lines = ["", f"/** {shape.description} */", f"export interface {shape.name} {{"]
    if shape.collection:
        lines.append("\t$type: string;")
    for field in shape.fields:
        kind = _type_of(field.schema, _TYPESCRIPT_TYPES, "{}[]", " | ")
        lines += [f"\t/** {field.note} */"] if field.note else []
        lines.append(f"\t{field.name}{_mark(field)}: {kind};")
    return "\n".join([*lines, "}", ""])


def _type_of(schema: Mapping[str, Any], types: Mapping[str, str], array: str, joint: str) -> str:
    kind = schema["type"]
    if kind == "ref":
        return str(schema["name"])
    if kind == "union":
        return joint.join(schema["names"])
    if kind == "array":
        return array.format(_type_of(schema["items"], types, array, joint))
    return types[kind]


def _mark(field: Field) -> str:
    return "" if field.is_required else "?"


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
