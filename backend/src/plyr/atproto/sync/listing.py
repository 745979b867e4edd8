"""Which accounts a host has, and what collections each holds: for hosts that cannot be asked by collection.

errors of every call: UrlRefused, HostUnreachable, AnswerUnusable of the network; HostRefused
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from plyr.atproto.errors import AnswerUnusable
from plyr.atproto.guarded import GuardedClient
from plyr.atproto.identity.syntax import is_did
from plyr.atproto.sync.errors import HostRefused
from plyr.kit.ids import Did

_PAGE = 500
_MAX_PAGES = 100_000
_MAX_BYTES = 4 * 1024 * 1024


async def all_repos(http: GuardedClient, host_url: str) -> AsyncIterator[Did]:
    """Yield every active account of a host. cost: one request for 500 accounts."""
    cursor: str | None = None
    for _page in range(_MAX_PAGES):
        params = {"limit": str(_PAGE)} | ({} if cursor is None else {"cursor": cursor})
        body = await _ask(http, host_url, "com.atproto.sync.listRepos", params)
        found = body.get("repos")
        if not isinstance(found, list):
            raise AnswerUnusable(f"{urlsplit(host_url).netloc} did not list repos")
        for repo in found:
            did = repo.get("did") if isinstance(repo, dict) and repo.get("active", True) else None
            if isinstance(did, str) and is_did(did):
                yield Did(did)
        before, cursor = cursor, body.get("cursor")
        if not isinstance(cursor, str) or not found or cursor == before:
            return
    raise AnswerUnusable(f"{urlsplit(host_url).netloc} lists repos without an end")


async def collections_of(http: GuardedClient, host_url: str, did: Did) -> set[str]:
    """Return the collections a repo has records in, as its host says. cost: one small request."""
    found = (await _ask(http, host_url, "com.atproto.repo.describeRepo", {"repo": did})).get("collections")
    return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()


async def _ask(http: GuardedClient, host_url: str, nsid: str, params: Mapping[str, str]) -> dict[str, Any]:
    url = f"{host_url.rstrip('/')}/xrpc/{nsid}"
    answer = await http.get(url, params=params, deadline_s=15.0, max_bytes=_MAX_BYTES)
    if answer.status != 200:
        raise HostRefused(urlsplit(host_url).netloc, answer.status, "", answer.text[:200])
    return answer.json_object()
