"""The rules of a track's words."""

from collections.abc import Sequence

from plyr.errors import InvalidInput
from plyr.kit.text import clean_line, clean_text, count_graphemes, require_length
from plyr.uploads.views import TrackForm

TITLE_GRAPHEMES = ALBUM_GRAPHEMES = 256
DESCRIPTION_GRAPHEMES = 5000
MAX_TAGS = 10
TAG_GRAPHEMES = 64
_MAX_FILENAME = 255


def check_form(title: str | None, album: str | None, description: str | None, tags: Sequence[str]) -> TrackForm:
    """Return a form's words cleaned.

    errors: InvalidInput (422) naming the field, what it holds, and its limit
    """
    checked = TrackForm(
        title=clean_line(title or "") or None,
        album=clean_line(album or "") or None,
        description=clean_text(description or "") or None,
        tags=_check_tags(tags),
    )
    require_length("title", checked.title or "", graphemes=TITLE_GRAPHEMES)
    require_length("album", checked.album or "", graphemes=ALBUM_GRAPHEMES)
    require_length("description", checked.description or "", graphemes=DESCRIPTION_GRAPHEMES)
    return checked


def clean_filename(name: str) -> str:
    """Return a file name fit to be shown: its last part, one line, at most 255 characters."""
    last = clean_line(name.replace("\\", "/").rpartition("/")[2])
    return last[-_MAX_FILENAME:] or "untitled"


def fallback_title(filename: str, file_title: str | None) -> str:
    """Return the title of a track whose form has none: the file's own tag, else its name without ending."""
    stem = filename.rpartition(".")[0] or filename
    title = clean_line(file_title or "") or clean_line(stem) or "untitled"
    while count_graphemes(title) > TITLE_GRAPHEMES:
        title = title[:TITLE_GRAPHEMES] if len(title) > TITLE_GRAPHEMES else title[:-1]
    return title


def _check_tags(tags: Sequence[str]) -> list[str]:
    cleaned = list(dict.fromkeys(tag for tag in (clean_line(tag) for tag in tags) if tag))
    if len(cleaned) > MAX_TAGS:
        raise InvalidInput(f"there are {len(cleaned)} tags; at most {MAX_TAGS} fit", field="tags", limit=MAX_TAGS)
    for tag in cleaned:
        if (count := count_graphemes(tag)) > TAG_GRAPHEMES:
            raise InvalidInput(
                f"the tag “{tag[:24]}…” has {count} characters; at most {TAG_GRAPHEMES} fit",
                field="tags",
                limit=TAG_GRAPHEMES,
            )
    return cleaned
