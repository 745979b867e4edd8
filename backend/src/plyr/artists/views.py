"""An artist as a value."""

from dataclasses import dataclass
from datetime import datetime

from plyr.kit.ids import Did, Handle


@dataclass(frozen=True, slots=True)
class ArtistView:
    """An account as the index knows it."""

    did: Did
    handle: Handle | None
    pds_url: str | None
    display_name: str | None
    bio: str | None
    avatar_url: str | None
    support_url: str | None
    show_liked_on_profile: bool
    profile_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def has_profile(self) -> bool:
        """The account set itself up as an artist."""
        return self.profile_at is not None

    @property
    def name(self) -> str:
        """What to call them: their chosen name, else the handle, else the DID."""
        return self.display_name or self.handle or self.did
