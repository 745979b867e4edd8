"""How this process stands: what `/ready` and `/metrics` tell."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from plyr.kit.clock import utc_now

_LAST_COUNTS_FOR_S = 5.0


@dataclass(slots=True)
class Standing:
    """The state of one ingest process; only the leader is connected to anything."""

    role: Literal["starting", "standby", "leader"] = "starting"
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    trouble: str | None = None
    _waiting_since: datetime | None = None
    _last_lag_s: float = 0.0
    _last_at: float = field(default_factory=time.monotonic)

    @property
    def lag_s(self) -> float:
        """How far the index is behind the newest event we know of; 0 when everything received is applied."""
        if self._waiting_since is not None:
            return _age_s(self._waiting_since)
        return self._last_lag_s if time.monotonic() - self._last_at < _LAST_COUNTS_FOR_S else 0.0

    def lead(self, connected: asyncio.Event) -> None:
        """This process leads now; `connected` is set while its source is."""
        self.role, self.connected = "leader", connected

    def stand_by(self) -> None:
        """Another process leads, or nobody yet."""
        self.role, self.connected, self.waiting, self._waiting_since = "standby", asyncio.Event(), 0, None

    def applying(self, oldest: datetime | None, waiting: int) -> None:
        """A batch was begun, its oldest commit made at `oldest`; `waiting` more events are received."""
        self._waiting_since, self.waiting = oldest, waiting

    def applied(self) -> float:
        """The batch is in the index; returns how long after its oldest commit."""
        if self._waiting_since is not None:
            self._last_lag_s, self._last_at = _age_s(self._waiting_since), time.monotonic()
        self._waiting_since, self.trouble = None, None
        return self._last_lag_s


def _age_s(instant: datetime) -> float:
    return max(0.0, (utc_now() - instant).total_seconds())
