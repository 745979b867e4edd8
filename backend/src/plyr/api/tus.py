"""The resumable upload protocol tus 1.0: its headers, read and written."""

import base64
import binascii
from collections.abc import Mapping

from plyr.errors import InvalidInput, PlyrError

VERSION = "1.0.0"
EXTENSIONS = "creation,termination"
OFFSET_TYPE = "application/offset+octet-stream"
_MAX_METADATA = 4096


class TusVersionUnsupported(PlyrError):
    """A client of another version of tus."""

    code = "tus_version_unsupported"
    status = 412

    def __init__(self) -> None:
        super().__init__(f"this speaks tus {VERSION}: send the header Tus-Resumable: {VERSION}")


class TusHeaderInvalid(InvalidInput):
    """A header of tus that is missing or cannot be read."""

    code = "invalid_request"
    status = 400


class BytesExpected(PlyrError):
    """A body of another kind than plain bytes of the file."""

    code = "unsupported_media_type"
    status = 415

    def __init__(self) -> None:
        super().__init__(f"send the bytes of the file with Content-Type: {OFFSET_TYPE}")


def answer_headers(**more: object) -> dict[str, str]:
    """Return the headers of every answer, and more: `upload_offset=3` becomes `Upload-Offset: 3`."""
    named = {name.replace("_", "-").title(): str(value) for name, value in more.items()}
    return {"Tus-Resumable": VERSION, "Cache-Control": "no-store", **named}


def require_version(headers: Mapping[str, str]) -> None:
    """Refuse another version of tus, or none. errors: TusVersionUnsupported (412)."""
    if headers.get("tus-resumable") != VERSION:
        raise TusVersionUnsupported()


def read_count(headers: Mapping[str, str], name: str) -> int:
    """Return a header that counts bytes. errors: TusHeaderInvalid (400)."""
    text = headers.get(name.lower(), "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise TusHeaderInvalid(f"the header {name} must be a number of bytes")
    return int(text)


def read_metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """Return Upload-Metadata: names with texts, sent as base64. errors: TusHeaderInvalid (400)."""
    header = headers.get("upload-metadata", "")
    if len(header) > _MAX_METADATA:
        raise TusHeaderInvalid("the header Upload-Metadata is too long")
    found = dict[str, str]()
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value.strip(), validate=True).decode().replace("\0", "")
        except (binascii.Error, ValueError) as error:
            raise TusHeaderInvalid(f"the header Upload-Metadata cannot be read at {name[:40]!r}") from error
    return found
