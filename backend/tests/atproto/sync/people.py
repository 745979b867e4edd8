"""somebody on the real PDS who writes, moves about and vanishes; all calls are plain XRPC, from outside our code."""

import base64
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx

from devstack.network import Account, Network
from plyr.atproto.sync.events import AccountChanged, Commit, RecordOp, Source, StreamEvent
from plyr.kit.ids import Nsid

NOTE = Nsid("fm.plyr.dev.note")
LIKE = Nsid("fm.plyr.dev.like")
FOREIGN = Nsid("com.example.diary")
OURS = frozenset({NOTE, LIKE})


class Person:
    """an account and what it does; `folder` is the network's, where the PDS's admin password lies."""

    def __init__(self, network: Network, http: httpx.AsyncClient, folder: Path | None = None) -> None:
        self.account: Account = network.new_account()
        self.did = self.account.did
        self._pds_url = network.pds_url
        self._http = http
        self._folder = folder

    async def put(self, rkey: str, text: str, collection: str = NOTE) -> dict[str, Any]:
        """write a record."""
        record = {"$type": collection, "text": text, "createdAt": "2026-01-02T03:04:05Z"}
        return await self._call("com.atproto.repo.putRecord", {**self._at(rkey, collection), "record": record})

    async def delete(self, rkey: str, collection: str = NOTE) -> None:
        """delete a record."""
        await self._call("com.atproto.repo.deleteRecord", self._at(rkey, collection))

    async def write(self, *writes: dict[str, Any]) -> None:
        """write several records in one commit."""
        await self._call("com.atproto.repo.applyWrites", {"repo": self.did, "writes": list(writes)})

    async def write_many(self, count: int, collection: str = NOTE) -> None:
        """write records 000, 001, … in as few commits as the PDS takes."""
        for first in range(0, count, 150):
            numbers = range(first, min(count, first + 150))
            await self.write(*(create(f"{number:03}", f"number {number}", collection) for number in numbers))

    async def rename(self, handle: str) -> None:
        """take another handle."""
        await self._call("com.atproto.identity.updateHandle", {"handle": handle})

    async def deactivate(self) -> None:
        """close the account for a while."""
        await self._call("com.atproto.server.deactivateAccount", {})

    async def activate(self) -> None:
        """open it again."""
        await self._call("com.atproto.server.activateAccount", None)

    async def take_down(self, *, applied: bool = True) -> None:
        """have the host's operators hide the account, or show it again."""
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": self.did}
        body = {"subject": subject, "takedown": {"applied": applied, "ref": "test"}}
        await self._call("com.atproto.admin.updateSubjectStatus", body, admin=True)

    async def vanish(self) -> None:
        """have the account deleted."""
        await self._call("com.atproto.admin.deleteAccount", {"did": self.did}, admin=True)

    async def upload(self, content: bytes, mime: str) -> dict[str, Any]:
        """upload a blob and return its reference."""
        headers = {**self.account.authorization, "content-type": mime}
        url = f"{self._pds_url}/xrpc/com.atproto.repo.uploadBlob"
        answer = await self._http.post(url, content=content, headers=headers)
        blob: dict[str, Any] = answer.raise_for_status().json()["blob"]
        return blob

    async def listed(self, collection: str = NOTE) -> dict[str, tuple[str, Any]]:
        """return all records of a collection by key, as the host lists them."""
        found: dict[str, tuple[str, Any]] = {}
        cursor: dict[str, str] = {}
        while True:
            params = {"repo": self.did, "collection": collection, "limit": "100", **cursor}
            answer = await self._http.get(f"{self._pds_url}/xrpc/com.atproto.repo.listRecords", params=params)
            page = answer.raise_for_status().json()
            found |= {one["uri"].rsplit("/", 1)[1]: (one["cid"], one["value"]) for one in page["records"]}
            if "cursor" not in page:
                return found
            cursor = {"cursor": page["cursor"]}

    def _at(self, rkey: str, collection: str) -> dict[str, Any]:
        return {"repo": self.did, "collection": collection, "rkey": rkey}

    async def _call(self, nsid: str, body: dict[str, Any] | None, *, admin: bool = False) -> dict[str, Any]:
        headers = self._admin() if admin else self.account.authorization
        answer = await self._http.post(f"{self._pds_url}/xrpc/{nsid}", json=body, headers=headers)
        assert answer.is_success, f"{nsid}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.content else {}

    def _admin(self) -> dict[str, str]:
        assert self._folder is not None
        password = json.loads((self._folder / "secrets.json").read_text())["PDS_ADMIN_PASSWORD"]
        return {"authorization": "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()}


def create(rkey: str, text: str, collection: str = NOTE) -> dict[str, Any]:
    """return one write of `Person.write` that creates a record."""
    value = {"$type": collection, "text": text}
    return {"$type": "com.atproto.repo.applyWrites#create", "collection": collection, "rkey": rkey, "value": value}


def update(rkey: str, text: str) -> dict[str, Any]:
    """return one write of `Person.write` that changes a record."""
    return create(rkey, text) | {"$type": "com.atproto.repo.applyWrites#update"}


def remove(rkey: str, collection: str = NOTE) -> dict[str, Any]:
    """return one write of `Person.write` that deletes a record."""
    return {"$type": "com.atproto.repo.applyWrites#delete", "collection": collection, "rkey": rkey}


async def take(source: Source, cursor: int | None, *, until: str, did: str) -> list[StreamEvent]:
    """return what a source tells of one account, up to and with its record `until`."""
    told = []
    async with aclosing(source.stream(cursor)) as events:
        async for one in events:
            if one.event.did == did:
                told.append(one)
                if isinstance(one.event, Commit) and any(op.rkey == until for op in one.event.ops):
                    break
    return told


async def take_until_deleted(source: Source, cursor: int | None, did: str) -> list[StreamEvent]:
    """return what a source tells of one account, up to and with its deletion."""
    told = []
    async with aclosing(source.stream(cursor)) as events:
        async for one in events:
            if one.event.did == did:
                told.append(one)
                if isinstance(one.event, AccountChanged) and one.event.status == "deleted":
                    break
    return told


def ops(events: list[StreamEvent]) -> list[tuple[str, RecordOp]]:
    """return every record op with its rev, in order."""
    return [(one.event.rev, op) for one in events if isinstance(one.event, Commit) for op in one.event.ops]
