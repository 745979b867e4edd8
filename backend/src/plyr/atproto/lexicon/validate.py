"""Whether a record has the shape its lexicon promises.

records are JSON: a link is `{"$link": …}`, bytes are `{"$bytes": …}`. fields a lexicon does not name are left alone.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from plyr.atproto.lexicon.formats import has_format
from plyr.errors import PlyrError
from plyr.kit.ids import Nsid, RecordKey
from plyr.kit.text import count_graphemes

_MAX_DEPTH = 32
_MAX_INTEGER = 2**53 - 1
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")

Schema = Mapping[str, Any]


class RecordInvalid(PlyrError):
    """A record that its lexicon does not allow; `path` is the field."""

    code = "record_invalid"
    status = 422

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'the record'} {reason}", path=path)
        self.path = path


class Lexicons:
    """All lexicons a process knows.

    shape:  `definitions` maps an NSID to its defs
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def validate_record(self, collection: Nsid, record: object, rkey: RecordKey | None = None) -> None:
        """Check a record, and its key if given, against the lexicon of its collection.

        errors: RecordInvalid, also for a collection without a lexicon and for a `$type` of another one
        """
        schema = self._definitions.get(collection, {}).get("main")
        if schema is None or schema["type"] != "record":
            raise RecordInvalid("", f"belongs to {collection}, which has no lexicon here")
        if not isinstance(record, Mapping) or record.get("$type") != collection:
            raise RecordInvalid("$type", f"must be {collection}")
        if rkey is not None:
            _check_key(schema["key"], rkey)
        _Check(self._definitions, collection).value(schema["record"], record, "", 0)


def _check_key(kind: str, rkey: str) -> None:
    if kind.startswith("literal:"):
        fine = rkey == kind.removeprefix("literal:")
    elif kind == "tid":
        fine = _TID.fullmatch(rkey) is not None
    else:
        fine = has_format("record-key", rkey)
    if not fine:
        raise RecordInvalid("", f"has a key that is not a {kind}")


class _Check:
    """One walk over one document's schema."""

    def __init__(self, definitions: Mapping[str, Schema], document: str) -> None:
        self._definitions = definitions
        self._document = document
        self._checks: dict[str, Callable[[Schema, Any, str, int], None]] = {
            "array": self._array,
            "blob": self._blob,
            "boolean": self._boolean,
            "bytes": self._bytes,
            "cid-link": self._link,
            "integer": self._integer,
            "object": self._object,
            "ref": self._ref,
            "string": self._string,
            "union": self._union,
            "unknown": self._unknown,
        }

    def value(self, schema: Schema, value: Any, path: str, depth: int) -> None:
        """Check one value. errors: RecordInvalid."""
        if depth > _MAX_DEPTH:
            raise RecordInvalid(path, "is nested too deep")
        self._checks[schema["type"]](schema, value, path, depth + 1)

    def _object(self, schema: Schema, value: Any, path: str, depth: int) -> None:
        _require(isinstance(value, Mapping), path, "must be an object")
        for name in schema.get("required", ()):
            _require(name in value, _join(path, name), "is missing")
        nullable = schema.get("nullable", ())
        for name, field in schema.get("properties", {}).items():
            if name in value and not (value[name] is None and name in nullable):
                self.value(field, value[name], _join(path, name), depth)

    def _array(self, schema: Schema, value: Any, path: str, depth: int) -> None:
        _require(isinstance(value, list), path, "must be a list")
        _within(schema, len(value), "minLength", "maxLength", path, "entries")
        for index, item in enumerate(value):
            self.value(schema["items"], item, f"{path}[{index}]", depth)

    def _string(self, schema: Schema, value: Any, path: str, _depth: int) -> None:
        _require(isinstance(value, str), path, "must be a text")
        try:
            size_bytes = len(value.encode())
        except UnicodeEncodeError:
            raise RecordInvalid(path, "holds half a character") from None
        _within(schema, size_bytes, "minLength", "maxLength", path, "bytes")
        if "minGraphemes" in schema or "maxGraphemes" in schema:
            _within(schema, count_graphemes(value), "minGraphemes", "maxGraphemes", path, "characters")
        _require(value in schema.get("enum", (value,)), path, f"must be one of {schema.get('enum')}")
        _require(value == schema.get("const", value), path, f"must be {schema.get('const')}")
        _require(has_format(schema.get("format", ""), value), path, f"is not a {schema.get('format')}")

    def _integer(self, schema: Schema, value: Any, path: str, _depth: int) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER
        _require(is_whole, path, "must be a whole number")
        _within(schema, value, "minimum", "maximum", path, "")
        _require(value in schema.get("enum", (value,)), path, f"must be one of {schema.get('enum')}")

    def _boolean(self, _schema: Schema, value: Any, path: str, _depth: int) -> None:
        _require(isinstance(value, bool), path, "must be true or false")

    def _bytes(self, schema: Schema, value: Any, path: str, _depth: int) -> None:
        encoded = value.get("$bytes") if isinstance(value, Mapping) else None
        _require(isinstance(encoded, str), path, "must be bytes")
        _within(schema, len(str(encoded).rstrip("=")) * 3 // 4, "minLength", "maxLength", path, "bytes")

    def _link(self, _schema: Schema, value: Any, path: str, _depth: int) -> None:
        link = value.get("$link") if isinstance(value, Mapping) else None
        _require(isinstance(link, str) and has_format("cid", str(link)), path, "must be a link")

    def _blob(self, schema: Schema, value: Any, path: str, depth: int) -> None:
        _require(isinstance(value, Mapping) and value.get("$type") == "blob", path, "must be a blob")
        self._link({}, value.get("ref"), _join(path, "ref"), depth)
        mime, size = value.get("mimeType"), value.get("size")
        _require(isinstance(mime, str) and "/" in mime, _join(path, "mimeType"), "must be a media type")
        accepted = any(_accepts(pattern, str(mime)) for pattern in schema.get("accept", ("*/*",)))
        _require(accepted, _join(path, "mimeType"), f"must be one of {schema.get('accept')}")
        is_whole = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        _require(is_whole, _join(path, "size"), "must be a size in bytes")
        _within(schema, size, "minSize", "maxSize", _join(path, "size"), "bytes")

    def _ref(self, schema: Schema, value: Any, path: str, depth: int) -> None:
        document, target = self._target(schema["ref"])
        _Check(self._definitions, document).value(target, value, path, depth)

    def _union(self, schema: Schema, value: Any, path: str, depth: int) -> None:
        kind = value.get("$type") if isinstance(value, Mapping) else None
        _require(isinstance(kind, str), path, "must be an object that names its $type")
        for ref in schema["refs"]:
            if kind == (f"{self._document}{ref}" if ref.startswith("#") else ref.removesuffix("#main")):
                self._ref({"ref": ref}, value, path, depth)
                return
        _require(not schema.get("closed", False), path, f"is of an unknown kind, {kind}")

    def _unknown(self, _schema: Schema, value: Any, path: str, _depth: int) -> None:
        _require(isinstance(value, Mapping), path, "must be an object")

    def _target(self, ref: str) -> tuple[str, Schema]:
        document, _, name = ref.partition("#")
        document = document or self._document
        return document, self._definitions[document][name or "main"]


def _require(holds: bool, path: str, reason: str) -> None:
    if not holds:
        raise RecordInvalid(path, reason)


def _within(schema: Schema, size: int, least: str, most: str, path: str, unit: str) -> None:
    words = f" {unit}" if unit else ""
    _require(size >= schema.get(least, size), path, f"needs at least {schema.get(least)}{words}")
    _require(size <= schema.get(most, size), path, f"allows at most {schema.get(most)}{words}")


def _accepts(pattern: str, mime: str) -> bool:
    return pattern in ("*/*", mime) or (pattern.endswith("/*") and mime.startswith(pattern[:-1]))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
