"""What can go wrong with a cursor."""

from plyr.errors import PlyrError


class TakenOver(PlyrError):
    """Another process follows this source now. Nothing of this transaction may stay."""

    code = "taken_over"
    status = 409
