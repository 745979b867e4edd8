"""What can go wrong with tracks."""

from plyr.errors import NotFound, PlyrError
from plyr.kit.ids import TrackId


class TrackNotFound(NotFound):
    """No such track, or not for this caller."""

    code = "track_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such track; it may have been removed by its artist")


class DuplicateTrack(PlyrError):
    """The artist published this very file before."""

    code = "duplicate"
    status = 409

    def __init__(self, track_id: TrackId) -> None:
        super().__init__("you have published this very file already; nothing new was made", track_id=track_id)
        self.track_id = track_id
