"""What can go wrong with artists."""

from plyr.errors import NotFound, PlyrError


class ArtistNotFound(NotFound):
    """Nobody here by that handle or DID."""

    code = "artist_not_found"


class ProfileExists(PlyrError):
    """A profile that was to be set up is there already."""

    code = "profile_exists"
    status = 409


class ArtistProfileRequired(PlyrError):
    """Only artists may do this, and this account has no artist profile yet."""

    code = "artist_profile_required"
    status = 403

    def __init__(self) -> None:
        super().__init__("artist_profile_required: set up your artist profile first, then come back; nothing was lost")
