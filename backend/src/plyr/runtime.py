"""What a process of ours holds open while it runs, made from its settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from plyr.atproto.guarded import GuardedClient
from plyr.atproto.identity.handles import HandleResolver
from plyr.atproto.identity.resolver import IdentityResolver
from plyr.atproto.lexicon import Lexicons, load_lexicons
from plyr.atproto.oauth import ClientApp, OAuthClient, build_app, service_scope
from plyr.auth.service import settle
from plyr.auth.vault import Vault, open_vault
from plyr.config import Settings
from plyr.db import Database
from plyr.storage import BlobStore, open_store


@dataclass(frozen=True)
class Resources:
    """The outside world as the api and the worker reach it."""

    settings: Settings
    db: Database
    storage: BlobStore
    http: GuardedClient
    oauth: OAuthClient
    vault: Vault
    lexicons: Lexicons


def require_usable(settings: Settings) -> None:
    """Refuse settings that are well-formed and still cannot be run with. errors: ValueError, one readable line."""
    _client_app(settings)
    load_lexicons(settings.lexicon_dir, settings.atproto_namespace)
    open_store(settings.storage_url)


@asynccontextmanager
async def open_resources(settings: Settings, *, application_name: str) -> AsyncIterator[Resources]:
    """Open everything for a process, and close it at the end.

    cost:   nothing is connected yet; the first use of each part connects
    errors: ValueError for a setting that cannot be used
    """
    lexicons = load_lexicons(settings.lexicon_dir, settings.atproto_namespace)
    http = GuardedClient(allow_loopback=settings.atproto_allow_loopback)
    database = Database(settings.database_url, application_name=application_name)
    storage = open_store(settings.storage_url)
    try:
        yield Resources(
            settings=settings,
            db=database,
            storage=storage,
            http=http,
            oauth=_oauth_client(settings, http),
            vault=open_vault(settings.encryption_keys.get_secret_value()),
            lexicons=lexicons,
        )
    finally:
        await settle()
        await storage.close()
        await database.close()
        await http.close()


def _oauth_client(settings: Settings, http: GuardedClient) -> OAuthClient:
    handles = HandleResolver(http, servers=settings.handle_servers)
    identities = IdentityResolver(http, handles, plc_url=settings.atproto_plc_url)
    return OAuthClient(http, identities, _client_app(settings))


def _client_app(settings: Settings) -> ClientApp:
    keys = settings.oauth_client_keys.get_secret_value() if settings.oauth_client_keys else None
    return build_app(settings.web_origin, service_scope(settings.atproto_namespace), keys)
