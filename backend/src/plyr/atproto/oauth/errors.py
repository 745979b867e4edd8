"""What can go wrong between us and an authorization server."""

from plyr.atproto.errors import AtprotoError


class OAuthError(AtprotoError):
    """An authorization server said no, or is none we can work with."""

    code = "provider_refused"
    status = 502


class ProviderUnsuitable(OAuthError):
    """A server that does not offer, or does not say it offers, what the atproto profile of OAuth asks for."""


class ProviderRefused(OAuthError):
    """An authorization server refused a request of ours; `error` is its OAuth error code."""

    def __init__(self, detail: str, *, error: str) -> None:
        super().__init__(detail, provider_error=error)
        self.error = error


class GrantRefused(ProviderRefused):
    """The code or refresh token is not, or no longer, good (`invalid_grant`)."""


class ClientRefused(ProviderRefused):
    """The server does not take us for who we say we are (`invalid_client`), e.g. for a key it has not read yet."""


class ClientKeyGone(OAuthError):
    """A grant was made with a client key that this deployment no longer has."""
