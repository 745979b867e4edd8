"""another app at work on somebody's repo: plain XRPC, behind our back. and the worker's hand for what it causes."""

from dataclasses import dataclass
from typing import Any

import httpx

from devstack.network import Account, Network
from plyr.index.service import Rules
from plyr.jobs import runner
from plyr.jobs import service as jobs
from plyr.jobs.views import JobView
from plyr.kit.ids import Did
from plyr.kit.tid import new_tid
from plyr.runtime import Resources
from plyr.worker.tasks import HANDLERS

NAMESPACE = "fm.plyr.dev"
CREATED = "2026-01-02T03:04:05.000Z"


@dataclass
class ForeignClient:
    """an app that is not ours, signed in as one account."""

    network: Network
    account: Account

    @property
    def did(self) -> Did:
        """whose repo it writes to."""
        return Did(self.account.did)

    def put(self, part: str, record: dict[str, Any], rkey: str | None = None) -> dict[str, str]:
        """write a record and return its {uri, cid}."""
        key, collection = rkey or new_tid(), f"{NAMESPACE}.{part}"
        body = {"repo": self.did, "collection": collection, "rkey": key, "record": {"$type": collection, **record}}
        answer = self.call("com.atproto.repo.putRecord", body)
        return {"uri": answer["uri"], "cid": answer["cid"]}

    def delete(self, uri: str) -> None:
        """delete a record."""
        did, collection, rkey = uri.removeprefix("at://").split("/")
        self.call("com.atproto.repo.deleteRecord", {"repo": did, "collection": collection, "rkey": rkey})

    def like(self, subject: dict[str, str]) -> dict[str, str]:
        """like a record."""
        return self.put("like", {"subject": subject, "createdAt": CREATED})

    def comment(self, subject: dict[str, str], text: str, **more: object) -> dict[str, str]:
        """remark on a record."""
        return self.put("comment", {"subject": subject, "text": text, "timestampMs": 5, "createdAt": CREATED, **more})

    def collect(self, *subjects: dict[str, str], name: str = "mix") -> dict[str, str]:
        """make a list of records."""
        items = [{"subject": subject} for subject in subjects]
        return self.put("list", {"items": items, "name": name, "listType": "playlist", "createdAt": CREATED})

    def introduce(self, bio: str) -> dict[str, str]:
        """write the profile."""
        return self.put("actor.profile", {"bio": bio, "createdAt": CREATED}, "self")

    def track(self, blob: dict[str, Any] | None = None, **more: object) -> dict[str, str]:
        """write a track, whose audio lies on the author's server if `blob` is given."""
        record: dict[str, Any] = {"title": "elsewhere", "artist": "x", "fileType": "flac", "createdAt": CREATED}
        audio = {"audioBlob": blob} if blob else {"audioUrl": "https://elsewhere.example/song.flac"}
        return self.put("track", {**record, **audio, **more})

    def upload(self, content: bytes, kind: str = "audio/flac") -> dict[str, Any]:
        """leave a blob on the account's server."""
        headers = {**self.account.authorization, "content-type": kind}
        url = f"{self.network.pds_url}/xrpc/com.atproto.repo.uploadBlob"
        answer = httpx.post(url, content=content, headers=headers, timeout=30)
        answer.raise_for_status()
        blob: dict[str, Any] = answer.json()["blob"]
        return blob

    def call(self, nsid: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """call a procedure of the account's server."""
        url = f"{self.network.pds_url}/xrpc/{nsid}"
        answer = httpx.post(url, json=body, headers=self.account.authorization, timeout=30)
        assert answer.is_success, answer.text
        result: dict[str, Any] = answer.json() if answer.content else {}
        return result


def rules_of(resources: Resources) -> Rules:
    """return what makes a record ours."""
    return Rules(resources.settings.atproto_namespace, resources.lexicons)


async def run_due_jobs(resources: Resources, *, kinds: tuple[str, ...] = tuple(HANDLERS)) -> list[JobView]:
    """run every job that is due, and those they cause; return how each ended."""
    ended: dict[str, JobView] = {}
    while True:
        async with resources.db.begin() as session:
            found = [await jobs.get(session, job_id) for job_id in await jobs.list_due(session)]
        due = [job for job in found if job is not None and job.kind in kinds]
        if not due:
            return list(ended.values())
        for job in due:
            await runner.run(job.id, resources.db, HANDLERS, resources, 30.0)
            async with resources.db.begin() as session:
                after = await jobs.get(session, job.id)
            assert after is not None
            ended[str(job.id)] = after
