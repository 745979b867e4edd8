"""What can go wrong while following repos."""

from plyr.atproto.errors import AtprotoError


class SourceLost(AtprotoError):
    """No host of a source could be reached for long; connect again, perhaps from another machine."""

    code = "source_lost"
    status = 503


class CursorTooOld(AtprotoError):
    """The source cannot go on from our cursor. Reconcile every repo and go on from now."""

    code = "cursor_too_old"
    status = 503


class DataInvalid(AtprotoError):
    """Bytes that are not the CAR, block or repo they claim to be. Nothing of them was used unchecked."""

    code = "repo_data_invalid"
    status = 502


class RepoUnavailable(AtprotoError):
    """The repo's host does not give it out; `reason` is not_found, deactivated, takendown or suspended."""

    code = "repo_unavailable"
    status = 404

    def __init__(self, did: str, reason: str) -> None:
        super().__init__(f"the repo of {did} is not given out by its host: {reason}", reason=reason)
        self.did = did
        self.reason = reason


class HostRefused(AtprotoError):
    """A host answered a read with an error; its status, its XRPC error name, its words."""

    code = "provider_refused"

    def __init__(self, host: str, http_status: int, error: str, message: str) -> None:
        said = ": ".join(part for part in (error, message) if part) or f"status {http_status}"
        super().__init__(f"{host} refused this ({said[:300]})")
        self.http_status = http_status
        self.error = error


class HostBusy(AtprotoError):
    """A host wants us to wait, `retry_after_s` if it said how long."""

    code = "rate_limited"
    status = 503

    def __init__(self, host: str, retry_after_s: float) -> None:
        super().__init__(f"{host} asks us to wait {retry_after_s:.0f} seconds", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s
