"""The source of repo events that the settings name."""

from collections.abc import Collection

from plyr.atproto.sync.events import Source
from plyr.atproto.sync.jetstream import jetstream
from plyr.atproto.sync.subscribe_repos import subscribe_repos
from plyr.config import Settings
from plyr.kit.ids import Nsid


def open_source(settings: Settings, collections: Collection[Nsid]) -> Source:
    """Return the source of INGEST_SOURCE and INGEST_HOSTS, telling of these collections; it is not connected yet."""
    hosts = settings.ingest_host_list
    if settings.ingest_source == "subscribe_repos":
        return subscribe_repos(hosts[0], collections)
    return jetstream(hosts, collections)
