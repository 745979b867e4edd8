"""Every difference between the index and the repos, field by field."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from plyr.atproto.errors import AtprotoError
from plyr.atproto.sync import repos as hosts
from plyr.atproto.sync.errors import RepoUnavailable
from plyr.db import Database
from plyr.errors import PlyrError
from plyr.index import service as index
from plyr.index import tables
from plyr.index.reconcile import find_home, read_events
from plyr.index.resources import RepairResources
from plyr.index.service import Rules
from plyr.index.tables import RowPair
from plyr.kit.clock import utc_now
from plyr.kit.ids import Did
from plyr.repos import service as repos

SETTLE_S = 3.0
_INSTANTS = ("created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not what the repo says; `field` is empty where a whole row is missing or too many."""

    did: str
    table: str
    key: str
    field: str
    expected: object
    actual: object


@dataclass(slots=True)
class Checked:
    """What a check found; `unread` says why a repo could not be compared."""

    repos: int = 0
    differences: list[Difference] = field(default_factory=list)
    unread: dict[Did, str] = field(default_factory=dict)


class _RolledBack(PlyrError):
    """The comparison is done; nothing of it is to stay."""


async def check(resources: RepairResources, did: Did | None = None, *, settle_s: float = SETTLE_S) -> Checked:
    """Compare the index with every repo we know, or with one.

    shape:  what differs is looked at once more after `settle_s`, since news may just be on its way; writes of our own
            on their way are not compared; nothing is changed
    cost:   every repo once, and the fold of each into temporary tables
    """
    checked = Checked()
    doubtful: list[Did] = []
    async for one in _which(resources.db, did):
        checked.repos += 1
        if await _differences(resources, one, checked.unread):
            doubtful.append(one)
    if doubtful:
        await asyncio.sleep(settle_s)
    for one in doubtful:
        checked.differences += await _differences(resources, one, checked.unread)
    async with resources.db.begin() as session:
        for pair in await tables.compare_counts(session, did):
            checked.differences += _fields("", pair, utc_now())
    return checked


async def _which(db: Database, did: Did | None) -> AsyncIterator[Did]:
    if did is not None:
        yield did
        return
    async with db.begin() as session:
        await tables.know_all_repos(session)
    async for known in repos.list_all(db):
        yield known.did


async def _differences(resources: RepairResources, did: Did, unread: dict[Did, str]) -> list[Difference]:
    try:
        return await _compare(resources, did)
    except RepoUnavailable as error:
        if error.reason == "not_found":
            return await _compare_gone(resources, did)
        unread[did] = error.detail
    except AtprotoError as error:
        unread[did] = error.detail
    return []


async def _compare(resources: RepairResources, did: Did) -> list[Difference]:
    rules = Rules(resources.settings.atproto_namespace, resources.lexicons)
    home = await find_home(resources, did)
    began_at = utc_now()
    pairs: list[RowPair] = []
    async with hosts.fetch_repo(resources.http, home, did) as car:
        batches = [events async for events in read_events(car, rules)]
    try:
        async with resources.db.begin() as session:
            await tables.make_shadows(session)
            for events in batches:
                await index.apply_batch(session, events, rules)
            pairs = await tables.compare(session, did, car.rev)
            raise _RolledBack("compared")
    except _RolledBack:
        return [difference for pair in pairs for difference in _fields(did, pair, began_at)]


async def _compare_gone(resources: RepairResources, did: Did) -> list[Difference]:
    """An account its own server does not know: everything that still shows is one too many."""
    async with resources.db.begin() as session:
        standing = await tables.list_standing(session, did, resources.settings.atproto_namespace, 10_000)
    return [Difference(did, "records", uri, "", None, {"uri": uri}) for uri in standing]


def _fields(did: str, pair: RowPair, began_at: datetime) -> list[Difference]:
    expected, actual = pair.expected, pair.actual
    if expected is None or actual is None:
        return [Difference(did, pair.table, pair.key, "", expected, actual)]
    return [
        Difference(did, pair.table, pair.key, name, value, actual.get(name))
        for name, value in expected.items()
        if value != actual.get(name) and not _is_clamped_now(name, value, began_at)
    ]


def _is_clamped_now(name: str, value: object, began_at: datetime) -> bool:
    """A claim from the future under a key from the future is shown as of when it was heard of: always another."""
    return name in _INSTANTS and isinstance(value, str) and datetime.fromisoformat(value) >= began_at
