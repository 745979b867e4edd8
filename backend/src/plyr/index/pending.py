"""What people wrote here and their PDS does not have yet, laid over what the stream of events says."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from plyr.db import Session
from plyr.index.merging import merge_record, without_empty
from plyr.kit.ids import AtUri
from plyr.kit.record_events import RecordEvent
from plyr.outbox import service as outbox
from plyr.outbox.views import PendingWrite


@dataclass(slots=True)
class Wishes:
    """What the outbox means for a batch of events.

    shape:  `gone` are wanted deleted; `kept` show what their owner wrote, whatever the event says; `edited` are
            events as they will be once the owner's edit is delivered
    """

    gone: set[AtUri] = field(default_factory=set)
    kept: set[AtUri] = field(default_factory=set)
    edited: dict[AtUri, RecordEvent] = field(default_factory=dict)

    def of(self, uri: AtUri) -> tuple[bool, bool, RecordEvent | None]:
        """Return all that is wanted of one record."""
        return uri in self.gone, uri in self.kept, self.edited.get(uri)


async def read_wishes(session: Session, events: Sequence[RecordEvent]) -> Wishes:
    """Return what the owners of these records still want of them. cost: 1 statement."""
    wishes = Wishes()
    pending = await outbox.list_pending(session, [event.uri for event in events])
    for event in events:
        writes = pending.get(event.uri)
        if not writes:
            continue
        if writes[-1].action == "delete":
            wishes.gone.add(event.uri)
        elif event.action == "delete":
            wishes.kept.add(event.uri)
        else:
            wishes.edited[event.uri] = replace(event, record=_edited(event.record or {}, writes))
    return wishes


def _edited(record: dict[str, Any], writes: Sequence[PendingWrite]) -> dict[str, Any]:
    for write in writes:
        if write.merge is None:
            record = without_empty(write.record or {})
        else:
            record = merge_record(record, write.record or {}, write.merge)
    return record
