"""What an entry point gives to auth."""

from typing import Protocol

from plyr.atproto.oauth import OAuthClient
from plyr.auth.vault import Vault
from plyr.db import Database


class AuthResources(Protocol):
    """The parts auth works with; the api's and the worker's resources have them."""

    @property
    def db(self) -> Database:
        """Postgres."""

    @property
    def oauth(self) -> OAuthClient:
        """Our side of OAuth."""

    @property
    def vault(self) -> Vault:
        """What opens secrets at rest."""
