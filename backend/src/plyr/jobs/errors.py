"""What can go wrong with background work."""

from plyr.errors import PlyrError


class JobFailed(PlyrError):
    """A job that can never succeed, with the reason its owner reads."""

    code = "job_failed"

    def __init__(self, code: str, detail: str, result: dict[str, object] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.result = result or {}


class LeaseLost(PlyrError):
    """Another worker took this job over, since this one was silent for too long."""

    code = "lease_lost"
