"""The tree of errors a person can meet. Each knows its code and the HTTP status it answers with."""


class PlyrError(Exception):
    """Something went wrong that has a name and a way on.

    shape:  `code` is for programs, `detail` for people: what happened, what was kept, what to do
    """

    code = "internal"
    status = 500

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class NotFound(PlyrError):
    """What was asked for does not exist, or not for this caller."""

    code = "not_found"
    status = 404


class InvalidInput(PlyrError):
    """A value the caller sent cannot be used; the detail names the field and the limit."""

    code = "invalid_input"
    status = 422


class CursorInvalid(PlyrError):
    """A paging cursor that this list never gave out."""

    code = "cursor_invalid"
    status = 400


class Unavailable(PlyrError):
    """A part we depend on does not answer in time; trying again later can help."""

    code = "unavailable"
    status = 503
