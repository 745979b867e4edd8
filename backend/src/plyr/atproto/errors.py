"""What can go wrong between us and a host somebody else chose."""

from plyr.errors import PlyrError


class AtprotoError(PlyrError):
    """Something on the AT Protocol's side of the house."""

    code = "atproto_error"
    status = 502


class UrlRefused(AtprotoError):
    """An address we do not go to: not https, an odd port, or a machine inside somebody's network."""

    code = "url_refused"
    status = 400


class HostUnreachable(AtprotoError):
    """A host gave no answer in time, or broke off. Nothing is known about what it did."""

    code = "provider_unreachable"
    status = 503


class AnswerUnusable(AtprotoError):
    """A host answered with something that is too large or not what the protocol says."""

    code = "provider_refused"
    status = 502
