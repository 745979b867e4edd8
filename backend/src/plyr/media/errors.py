"""Why a file cannot be used, in words its owner understands."""

from plyr.errors import PlyrError


class MediaRefused(PlyrError):
    """A file that will never be accepted as it is."""

    code = "not_audio"
    status = 422


class EmptyFile(MediaRefused):
    """No bytes, or no sound in them."""

    code = "empty_file"


class NotAudio(MediaRefused):
    """Something other than audio, whatever it is named."""

    code = "not_audio"


class Truncated(MediaRefused):
    """The file ends before the sound it announces."""

    code = "truncated"


class UnsupportedFormat(MediaRefused):
    """Audio or video of a kind that is not accepted."""

    code = "unsupported_format"


class ImageInvalid(MediaRefused):
    """A picture that cannot be made into a cover."""

    code = "image_invalid"


class ReadingFailed(PlyrError):
    """The reading process was too slow or could not start; the file itself may be fine."""

    code = "internal"
    status = 500


REFUSALS: dict[str, type[MediaRefused]] = {
    refusal.code: refusal for refusal in (EmptyFile, NotAudio, Truncated, UnsupportedFormat, ImageInvalid)
}
