"""What can go wrong with sign-in, sessions, and calls in a user's name."""

from typing import Literal

from plyr.errors import PlyrError

SignInReason = Literal[
    "denied",
    "expired",
    "wrong_account",
    "provider_unreachable",
    "provider_refused",
    "handle_not_found",
    "handle_unverified",
    "identity_mismatch",
    "wrong_browser",
    "invalid_request",
    "exchange_expired",
]


class SignInFailed(PlyrError):
    """A sign-in that did not come to its end; the code is one of `SignInReason`.

    shape:  `asked` is what the person typed and `return_to` where they were, as far as it is known
    """

    status = 400

    def __init__(self, reason: SignInReason, detail: str, *, asked: str = "", return_to: str = "/") -> None:
        super().__init__(detail)
        self.code = reason
        self.asked = asked
        self.return_to = return_to


class NotSignedIn(PlyrError):
    """The request carries no session, or one that ended."""

    code = "not_signed_in"
    status = 401

    def __init__(self) -> None:
        super().__init__("you are not signed in; sign in and try again")


class CrossSite(PlyrError):
    """A change was asked for with a browser's cookie, but not from our own pages."""

    code = "cross_site"
    status = 403

    def __init__(self) -> None:
        super().__init__("this request did not come from our own pages, so nothing was changed")


class GrantMissing(PlyrError):
    """We hold no permission to act for this account; a sign-in gives one."""

    code = "sign_in_again"
    status = 401

    def __init__(self) -> None:
        super().__init__("your server no longer lets us act for you; sign in again, and what waits goes on")


class GrantExpired(GrantMissing):
    """We held a permission until the provider refused it just now."""


class PdsUnreachable(PlyrError):
    """The user's server gave no answer; nothing is known about what it did. Trying again later can help."""

    code = "provider_unreachable"
    status = 503


class PdsRefused(PlyrError):
    """The user's server said no: its status (below 500), its XRPC error name, its words."""

    code = "provider_refused"

    def __init__(self, status: int, error: str, message: str) -> None:
        said = ": ".join(part for part in (error, message) if part) or f"status {status}"
        super().__init__(f"your server refused this ({said})")
        self.status = status
        self.error = error
        self.message = message


class RateLimited(PlyrError):
    """The user's server wants us to wait."""

    code = "rate_limited"
    status = 429

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"your server asks us to wait {retry_after_s:.0f} seconds", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s
