"""a source that tells what a test wants told, and the events of made-up repos."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from plyr.atproto.sync.events import Commit, RecordOp, RepoEvent, StreamEvent
from plyr.kit.ids import Cid, Did, Nsid, RecordKey, Rev
from plyr.kit.tid import encode_tid

NAMESPACE = "fm.plyr.dev"
SUBJECT_CID = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
FIRST_US = 1_760_000_000_000_000


class Told:
    """a `Source` that tells some events after the cursor, then nothing more, as a quiet network does."""

    name = "told"

    def __init__(self, events: Sequence[RepoEvent], *errors: Exception) -> None:
        self.events = [StreamEvent(number, event) for number, event in enumerate(events, 1)]
        self.errors = list(errors)
        self.asked: list[int | None] = []
        self.connected = asyncio.Event()

    async def stream(self, cursor: int | None) -> AsyncGenerator[StreamEvent, None]:
        self.asked.append(cursor)
        if self.errors:
            raise self.errors.pop(0)
        self.connected.set()
        for event in self.events:
            if event.cursor > (cursor or 0):
                yield event
        await asyncio.Event().wait()


def rev(number: int) -> Rev:
    """return the rev of a made-up repo's n-th commit."""
    return Rev(encode_tid(FIRST_US + number, 1))


def key(number: int) -> RecordKey:
    """return a record key."""
    return encode_tid(FIRST_US + number, 2)


def put(did: str, number: int, part: str, rkey: str, record: dict[str, object]) -> Commit:
    """return the n-th commit of a repo: a record written."""
    collection = Nsid(f"{NAMESPACE}.{part}")
    op = RecordOp("put", collection, RecordKey(rkey), Cid(f"cid{number}"), {"$type": collection, **record})
    return Commit(Did(did), rev(number), (op,), None)


def gone(did: str, number: int, part: str, rkey: str) -> Commit:
    """return the n-th commit of a repo: a record deleted."""
    op = RecordOp("delete", Nsid(f"{NAMESPACE}.{part}"), RecordKey(rkey), None, None)
    return Commit(Did(did), rev(number), (op,), None)


def like(did: str, number: int, subject: str, rkey: str | None = None) -> Commit:
    """return the n-th commit of a repo: a like."""
    reference = {"uri": f"at://did:plc:artist/{NAMESPACE}.track/{subject}", "cid": SUBJECT_CID}
    record: dict[str, object] = {"subject": reference, "createdAt": "2026-01-01T00:00:00.000Z"}
    return put(did, number, "like", rkey or key(number), record)


def comment(did: str, number: int, text: str) -> Commit:
    """return the n-th commit of a repo: a comment."""
    reference = {"uri": f"at://did:plc:artist/{NAMESPACE}.track/song", "cid": SUBJECT_CID}
    record: dict[str, object] = {
        "subject": reference, "text": text, "timestampMs": 1, "createdAt": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    return put(did, number, "comment", key(number), record)
