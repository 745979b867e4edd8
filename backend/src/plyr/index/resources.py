"""What delivering, applying and repairing need of the outside, wired at the entry point."""

from typing import Protocol

from plyr.atproto.guarded import GuardedClient
from plyr.atproto.lexicon.validate import Lexicons
from plyr.auth.resources import AuthResources
from plyr.config import Settings
from plyr.db import Database
from plyr.storage import BlobStore


class DeliveryResources(AuthResources, Protocol):
    """The database, the settings, and what it takes to speak for an account at its PDS."""

    @property
    def db(self) -> Database: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def lexicons(self) -> Lexicons: ...


class RepairResources(DeliveryResources, Protocol):
    """What following repos takes besides: strangers' hosts, and where bytes lie."""

    @property
    def http(self) -> GuardedClient: ...

    @property
    def storage(self) -> BlobStore: ...
