"""What the generated records have in common."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from plyr.kit.ids import Nsid


def to_camel(name: str) -> str:
    """Return a python field's name as lexicons write it: `created_at` → `createdAt`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


@dataclass(frozen=True, slots=True, kw_only=True)
class LexObject:
    """A part of a record."""

    def to_json(self) -> dict[str, Any]:
        """Return the object as lexicons write it; fields without a value are left out."""
        fields = ((to_camel(field.name), getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: _plain(value) for name, value in fields if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class LexRecord(LexObject):
    """A record of a collection of ours."""

    collection: ClassVar[str]

    @classmethod
    def nsid(cls, namespace: str) -> Nsid:
        """Return the collection in a namespace."""
        return Nsid(f"{namespace}.{cls.collection}")

    @classmethod
    def field_names(cls) -> frozenset[str]:
        """Return the names of all fields as the lexicon writes them."""
        return frozenset(to_camel(field.name) for field in dataclasses.fields(cls))

    def to_record(self, namespace: str) -> dict[str, Any]:
        """Return the record as it is written to a repo."""
        return {"$type": self.nsid(namespace), **self.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob(LexObject):
    """A file kept by the author's server."""

    link: str
    mime_type: str
    size_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the blob as records hold it."""
        return {"$type": "blob", "ref": {"$link": self.link}, "mimeType": self.mime_type, "size": self.size_bytes}


def _plain(value: object) -> object:
    if isinstance(value, LexObject):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
