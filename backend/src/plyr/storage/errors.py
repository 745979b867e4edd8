"""What can go wrong with stored objects."""

from plyr.errors import NotFound, PlyrError


class StorageUnavailable(PlyrError):
    """The object store did not do what it was asked, within its retries and deadline."""

    code = "storage_failed"
    status = 503


class BlobMissing(NotFound):
    """There is no object under this key."""

    code = "object_missing"


class KeyRefused(PlyrError):
    """A key that none of ours can be; it never reaches the store."""

    code = "key_refused"
    status = 400


class NotOwner(PlyrError):
    """An object changed hands or was given up meanwhile."""

    code = "object_not_owned"
    status = 409
