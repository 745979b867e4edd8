"""Multipart bodies as a stream of events: nothing is spooled, nothing is held but the piece at hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from plyr.errors import InvalidInput, PlyrError
from plyr.storage.protocol import Piece

_MAX_PARTS = 32


class MultipartInvalid(InvalidInput):
    """A body that is not the form its header announces."""

    code = "invalid_multipart"
    status = 400


class MultipartExpected(PlyrError):
    """A body of another kind than a form."""

    code = "unsupported_media_type"
    status = 415


@dataclass(frozen=True, slots=True)
class PartBegin:
    """A part begins; `filename` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the part that began last; valid until the next event is asked for."""

    data: Piece


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part that began last is whole."""


Event = PartBegin | PartData | PartEnd


async def read_parts(content_type: str | None, body: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """Yield what a form holds, in its own order.

    errors: MultipartExpected (415), MultipartInvalid (400), also for a body that ends before its last boundary;
            what `body` raises
    cost:   one piece of `body` at a time, not copied
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise MultipartExpected("send the form as multipart/form-data")
    reader = _Reader(boundary)
    async for piece in body:
        for event in reader.feed(piece):
            yield event
    if not reader.is_whole:
        raise MultipartInvalid("the form ends before its last part does; nothing of it was kept, send it again")


class _Reader:
    """The low-level parser's callbacks gathered into events."""

    def __init__(self, boundary: bytes) -> None:
        self.is_whole = False
        self._events: list[Event] = []
        self._parts = 0
        self._header_name, self._header_value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._add_data,
                    "on_part_end": lambda: self._events.append(PartEnd()),
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise MultipartInvalid(f"the form cannot be read: {error}") from error

    def feed(self, piece: bytes) -> list[Event]:
        """Return what a piece of the body brings."""
        self._events = []
        if not self.is_whole:
            try:
                self._parser.write(piece)
            except FormParserError as error:
                raise MultipartInvalid(f"the form cannot be read: {error}") from error
        return self._events

    def _begin(self) -> None:
        self._parts += 1
        self._headers = {}
        if self._parts > _MAX_PARTS:
            raise MultipartInvalid(f"the form has more than {_MAX_PARTS} parts")

    def _end_header(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        name, filename = options.get(b"name"), options.get(b"filename")
        if name is None:
            raise MultipartInvalid("a part of the form has no name")
        content_type = self._headers.get(b"content-type")
        self._events.append(
            PartBegin(
                _text(name),
                _text(filename) if filename is not None else None,
                _text(content_type) if content_type is not None else None,
            )
        )

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        whole = start == 0 and end == len(data)
        self._events.append(PartData(data if whole else memoryview(data)[start:end]))

    def _end(self) -> None:
        self.is_whole = True


def _text(value: bytes) -> str:
    return value.decode(errors="replace").replace("\0", "")
