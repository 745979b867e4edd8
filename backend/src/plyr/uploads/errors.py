"""What can go wrong with an upload."""

from plyr.errors import NotFound, PlyrError


class UploadNotFound(NotFound):
    """No such upload, or not for this caller."""

    code = "upload_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such upload; it may be finished, cancelled or older than seven days")


class UploadGone(PlyrError):
    """An upload whose bytes were given up."""

    code = "upload_gone"
    status = 410

    def __init__(self) -> None:
        super().__init__("this upload has ended and its audio was not kept; upload the file again")


class UploadBusy(PlyrError):
    """Another request is sending bytes of the same upload."""

    code = "upload_busy"
    status = 423

    def __init__(self) -> None:
        super().__init__("another request is still sending this file; nothing was changed, try again in a few seconds")


class OffsetMismatch(PlyrError):
    """Bytes that do not begin where the kept ones end."""

    code = "offset_mismatch"
    status = 409

    def __init__(self, offset_bytes: int) -> None:
        super().__init__(f"the upload stands at byte {offset_bytes}; go on from there", offset_bytes=offset_bytes)


class UploadTooLarge(PlyrError):
    """More bytes than one file may have."""

    code = "too_large"
    status = 413

    def __init__(self, limit_bytes: int) -> None:
        limit_mb = limit_bytes // 1_000_000
        super().__init__(f"the file is too large: at most {limit_mb} MB are accepted", limit_mb=limit_mb)


class TooManyBytes(PlyrError):
    """More bytes than the upload announced."""

    code = "too_many_bytes"
    status = 413

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"this upload was announced with {size_bytes} bytes; what came after them was not kept")


class EmptyUpload(PlyrError):
    """A file without bytes."""

    code = "empty_file"
    status = 422

    def __init__(self) -> None:
        super().__init__("the file is empty: it has no bytes")


class CoverTooLarge(PlyrError):
    """A cover picture of more bytes than one may have."""

    code = "image_invalid"
    status = 422

    def __init__(self, limit_bytes: int) -> None:
        limit_mb = limit_bytes // 1_000_000
        super().__init__(f"the picture is too large: at most {limit_mb} MB are accepted", limit_mb=limit_mb)


class AlreadyPublishing(PlyrError):
    """Too late to change or cancel: the track is on its way to the repo."""

    code = "already_publishing"
    status = 409

    def __init__(self) -> None:
        super().__init__("this upload is already being published; delete the track once it is live")


class NotRetryable(PlyrError):
    """There is nothing to try again."""

    code = "not_retryable"
    status = 409

    def __init__(self) -> None:
        super().__init__("only an upload that failed and whose audio was kept can be tried again")


class ConnectionDropped(PlyrError):
    """The sender went away or fell silent; what arrived is kept."""

    code = "connection_dropped"
    status = 408

    def __init__(self) -> None:
        super().__init__("the connection broke; what arrived was kept, go on from there")
