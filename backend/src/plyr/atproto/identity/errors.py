"""What can go wrong when we ask who somebody is."""

from plyr.atproto.errors import AtprotoError


class IdentityError(AtprotoError):
    """A name that leads to nobody, or whose proof does not hold."""


class NameInvalid(IdentityError):
    """What was typed is neither a handle, nor a DID, nor the address of a server."""

    code = "invalid_request"
    status = 400


class HandleNotFound(IdentityError):
    """Nobody answers for a handle."""

    code = "handle_not_found"
    status = 404


class HandleUnverified(IdentityError):
    """A handle and the account it points to do not both name each other."""

    code = "handle_unverified"
    status = 409


class DidNotFound(IdentityError):
    """A DID that is not registered, or was given up."""

    code = "handle_not_found"
    status = 404


class DidTombstoned(DidNotFound):
    """A DID whose owner gave it up for good, as the directory that keeps it says."""


class DidDocumentInvalid(IdentityError):
    """A DID document that is not one, or names no server."""

    code = "identity_mismatch"
    status = 409
