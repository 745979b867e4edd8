"""Every kind of job there is; a worker that lacks a handler for one refuses to start."""

from enum import StrEnum


class JobKind(StrEnum):
    """What a job is about, as it stands in its row."""

    UPLOAD = "upload"
    REVOKE_GRANT = "revoke_grant"
    RECONCILE_REPO = "reconcile_repo"
    CHECK_ACCOUNT = "check_account"
    RESOLVE_IDENTITY = "resolve_identity"
    MIRROR_AUDIO = "mirror_audio"
