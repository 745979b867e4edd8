"""What a source of repo events says, whichever wire it came over."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from plyr.kit.ids import Cid, Did, Handle, Nsid, RecordKey, Rev


@dataclass(frozen=True, slots=True)
class RecordOp:
    """One record of a commit; creating and updating are both "put".

    shape:  a deletion has neither cid nor record; a put whose record is None is there, but no valid data model
    """

    action: Literal["put", "delete"]
    collection: Nsid
    rkey: RecordKey
    cid: Cid | None
    record: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Commit:
    """A repo moved on to `rev`; `ops` are those in our collections.

    shape:  Jetstream splits a commit into one event for each op, all with the same rev; a commit without ops only
            carries the cursor forward
    """

    did: Did
    rev: Rev
    ops: tuple[RecordOp, ...]
    time: datetime | None


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """Handle or keys of an account may have changed: a hint to resolve it again."""

    did: Did
    handle: Handle | None


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """A host says whether an account is there; status: deactivated, takendown, suspended, deleted, …"""

    did: Did
    active: bool
    status: str | None


@dataclass(frozen=True, slots=True)
class RepoSynced:
    """Our copy of this repo may have gaps: reconcile it, if it is one we know."""

    did: Did
    rev: Rev | None


RepoEvent = Commit | IdentityChanged | AccountChanged | RepoSynced


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event and where it stands in its stream.

    shape:  saving `cursor` with the event's effects and passing it on reconnect loses and repeats nothing that shows
    """

    cursor: int
    event: RepoEvent


class Source(Protocol):
    """A stream of repo events that reconnects by itself.

    shape:  `name` is the key to save cursors under: the kind of source and its hosts; `connected` is set while a
            connection is open. who starts without a cursor and needs to miss nothing waits for `connected` first
            and reconciles then
    """

    @property
    def name(self) -> str:
        """The key under which a cursor of this source is saved."""
        ...

    @property
    def connected(self) -> asyncio.Event:
        """Set while a connection is open."""
        ...

    def stream(self, cursor: int | None) -> AsyncGenerator[StreamEvent, None]:
        """Yield what happened after `cursor`, from now on without one, and never end.

        errors: SourceLost when no host could be reached for long; CursorTooOld: events are missing, reconcile every
                repo and go on from now
        """
        ...
