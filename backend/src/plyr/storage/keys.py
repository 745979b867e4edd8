"""The names of stored objects: made from our own ids, never from anything a person or a record says."""

import re
from uuid import uuid4

from plyr.kit.ids import FileId, ImageId, UploadId
from plyr.storage.errors import KeyRefused

_KEY = re.compile(r"[a-z]+(/[a-z0-9-]{1,64}(\.[a-z0-9]{1,8})?){1,3}")
_ID = re.compile(r"[0-9a-f]{32}")


def new_file_id() -> FileId:
    """Return a fresh id for an audio object."""
    return FileId(uuid4().hex)


def new_image_id() -> ImageId:
    """Return a fresh id for an image and all its sizes."""
    return ImageId(uuid4().hex)


def audio_key(file_id: FileId) -> str:
    """Return where the audio of a file id lies.

    errors: KeyRefused for anything `new_file_id` did not make
    """
    return f"audio/{_checked_id(file_id)}"


def image_key(image_id: ImageId, size: int) -> str:
    """Return where one size of an image lies.

    errors: KeyRefused for anything `new_image_id` did not make
    """
    return f"images/{_checked_id(image_id)}/{size}.webp"


def chunk_key(upload_id: UploadId, number: int) -> str:
    """Return where one piece of an upload lies."""
    return f"uploads/{upload_id.hex}/{number}"


def checked_key(key: str) -> str:
    """Return the key itself.

    errors: KeyRefused for a key that could leave its folder or name something else
    """
    if _KEY.fullmatch(key) is None:
        raise KeyRefused("this is not the name of a stored object")
    return key


def _checked_id(value: str) -> str:
    if _ID.fullmatch(value) is None:
        raise KeyRefused("this is not the id of a stored object")
    return value
