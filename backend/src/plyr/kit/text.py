"""Text that people write: cleaned, counted as they count, never cut behind their back."""

import unicodedata

import regex

from plyr.errors import InvalidInput

_GRAPHEME = regex.compile(r"\X")
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cs}\p{Co}\p{Cn}--[\n\t]]", regex.VERSION1)
_SPACES = regex.compile(r"\s+")


def count_graphemes(text: str) -> int:
    """Return the number of characters as a reader counts them: a family emoji is one."""
    return len(text) if text.isascii() else sum(1 for _ in _GRAPHEME.finditer(text))


def clean_text(text: str) -> str:
    """Return a text composed (NFC), with plain line ends, without control characters and outer space."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _INVISIBLE.sub("", composed).strip()


def clean_line(text: str) -> str:
    """Return a text as one line, runs of white space as single spaces."""
    return _SPACES.sub(" ", clean_text(text)).strip()


def require_length(
    field: str, text: str, *, least: int = 0, graphemes: int | None = None, size_bytes: int | None = None
) -> None:
    """Refuse a text that is too short or too long. errors: InvalidInput (422) naming field and limit."""
    count = count_graphemes(text)
    if count < least:
        raise InvalidInput(f"{field} must not be empty", field=field)
    if graphemes is not None and count > graphemes:
        raise InvalidInput(f"{field} has {count} characters; at most {graphemes} fit", field=field, limit=graphemes)
    if size_bytes is not None and len(text.encode()) > size_bytes:
        raise InvalidInput(f"{field} is too long to store; at most {size_bytes} bytes fit", field=field)
