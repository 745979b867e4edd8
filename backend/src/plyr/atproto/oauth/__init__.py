"""OAuth as the AT Protocol profiles it: PAR, PKCE, DPoP, loopback and confidential clients."""

from plyr.atproto.oauth.app import ClientApp, build_app
from plyr.atproto.oauth.client import Authorization, OAuthClient, Tokens
from plyr.atproto.oauth.discovery import AuthServer
from plyr.atproto.oauth.keys import SigningKey
from plyr.atproto.oauth.scopes import covers, service_scope

__all__ = [
    "AuthServer",
    "Authorization",
    "ClientApp",
    "OAuthClient",
    "SigningKey",
    "Tokens",
    "build_app",
    "covers",
    "service_scope",
]
