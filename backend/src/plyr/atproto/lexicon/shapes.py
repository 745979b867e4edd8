"""The lexicons as the generator sees them: objects with typed fields, whatever language they end in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plyr.atproto.lexicon.files import NAMESPACE, Document


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object; `note` says its limits in words."""

    name: str
    schema: Mapping[str, Any]
    is_required: bool
    note: str


@dataclass(frozen=True, slots=True)
class Shape:
    """An object or a record; `collection` is the record's NSID without the namespace."""

    name: str
    description: str
    fields: tuple[Field, ...]
    collection: str | None


def list_shapes(documents: list[Document]) -> list[Shape]:
    """Return every object and record, parts before what is made of them."""
    shapes = [
        _shape(str(document["id"]), name, schema) for document in documents for name, schema in document["defs"].items()
    ]
    ordered: list[Shape] = []
    for shape in sorted(shapes, key=lambda shape: (shape.collection is not None, shape.name)):
        _place(shape, {shape.name: shape for shape in shapes}, ordered)
    return ordered


def shape_name(ref: str, document: str) -> str:
    """Return the class name of a definition, e.g. `fm.plyr.list#item` → ListItem, `com.…strongRef` → StrongRef."""
    nsid, _, name = ref.partition("#")
    nsid = nsid or document
    own = nsid.removeprefix(f"{NAMESPACE}.") if nsid.startswith(f"{NAMESPACE}.") else nsid.rpartition(".")[2]
    main = "".join(_capital(part) for part in own.split(".") if part != "defs")
    return main + _capital(name) if name not in ("", "main") else main


def _shape(document: str, name: str, schema: Mapping[str, Any]) -> Shape:
    is_record = schema["type"] == "record"
    body = schema["record"] if is_record else schema
    required = body.get("required", ())
    fields = tuple(
        Field(field, _absolute(value, document), field in required, _note(value))
        for field, value in body["properties"].items()
    )
    own = document.removeprefix(f"{NAMESPACE}.") if is_record else None
    description = schema.get("description") or f"a part of {document}"
    return Shape(shape_name(f"#{name}", document), description, fields, own)


def _place(shape: Shape, known: Mapping[str, Shape], ordered: list[Shape]) -> None:
    if shape in ordered:
        return
    for field in shape.fields:
        for name in _parts(field.schema):
            _place(known[name], known, ordered)
    ordered.append(shape)


def _parts(schema: Mapping[str, Any]) -> list[str]:
    if schema["type"] == "array":
        return _parts(schema["items"])
    return [schema["name"]] if schema["type"] == "ref" else list(schema.get("names", ()))


def _absolute(schema: Mapping[str, Any], document: str) -> Mapping[str, Any]:
    if schema["type"] == "ref":
        return {**schema, "name": shape_name(schema["ref"], document)}
    if schema["type"] == "union":
        return {**schema, "names": [shape_name(ref, document) for ref in schema["refs"]]}
    if schema["type"] == "array":
        return {**schema, "items": _absolute(schema["items"], document)}
    return schema


def _note(schema: Mapping[str, Any]) -> str:
    words = [str(schema[key]) for key in ("description", "format") if key in schema]
    if "maxGraphemes" in schema:
        words.append(f"at most {schema['maxGraphemes']} characters")
    elif "maxLength" in schema:
        words.append(f"at most {schema['maxLength']} {'entries' if schema['type'] == 'array' else 'bytes'}")
    if "maxSize" in schema:
        words.append(f"at most {schema['maxSize']} bytes of {', '.join(schema['accept'])}")
    if "knownValues" in schema:
        words.append(f"known: {', '.join(schema['knownValues'])}")
    return "; ".join(words)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
