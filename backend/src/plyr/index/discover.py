"""Finding repos we never heard of: a host is asked which of its accounts use our collections."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from plyr.atproto.errors import AtprotoError
from plyr.atproto.sync import listing
from plyr.atproto.sync import repos as hosts
from plyr.atproto.sync.errors import HostRefused
from plyr.index.resources import RepairResources
from plyr.index.service import Rules
from plyr.kit.ids import Did
from plyr.repos import service as repos


@dataclass(slots=True)
class Discovered:
    """What a host told: how many accounts use our collections, and how many of them were new to us."""

    found: int = 0
    new: int = 0


async def discover(resources: RepairResources, host_url: str) -> Discovered:
    """Make known the accounts of a host that use our collections, and have the new ones read by the worker.

    shape:  the host is only believed that an account exists: where a repo lives, its DID document says
    errors: of the network, for what was not told yet; what was found before stays
    cost:   a request for 500 accounts; one more for each account where the host cannot be asked by collection
    """
    rules = Rules(resources.settings.atproto_namespace, resources.lexicons)
    done, seen = Discovered(), set[Did]()
    async for did in _using(resources, host_url, rules):
        if did in seen:
            continue
        seen.add(did)
        done.found += 1
        async with resources.db.begin() as session:
            if await repos.remember(session, [did]):
                done.new += 1
                await repos.request_reconcile(session, did)
    return done


async def _using(resources: RepairResources, host_url: str, rules: Rules) -> AsyncIterator[Did]:
    try:
        for collection in rules.collections:
            async for did in hosts.repos_by_collection(resources.http, host_url, collection):
                yield did
    except HostRefused:
        async for did in listing.all_repos(resources.http, host_url):
            if await _uses(resources, host_url, did, rules):
                yield did


async def _uses(resources: RepairResources, host_url: str, did: Did, rules: Rules) -> bool:
    try:
        return not (await listing.collections_of(resources.http, host_url, did)).isdisjoint(rules.collections)
    except AtprotoError:
        return False
