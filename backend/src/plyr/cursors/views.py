"""What others see of a cursor."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A holder's place in a source: everything up to `cursor` is applied, None before the first event."""

    source: str
    epoch: int
    cursor: int | None
