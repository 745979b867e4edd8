"""The rules of uploads, one public function a verb."""

from plyr.uploads.service.covers import cover_keys, remove_cover, set_cover
from plyr.uploads.service.lifecycle import (
    begin,
    cancel,
    complete_unsized,
    expire_stale,
    list_views,
    require,
    retry,
    submit,
    view,
)
from plyr.uploads.service.publication import publication_refused, publication_succeeded, publication_waits
from plyr.uploads.service.receiving import append

__all__ = [
    "append",
    "begin",
    "cancel",
    "complete_unsized",
    "cover_keys",
    "expire_stale",
    "list_views",
    "publication_refused",
    "publication_succeeded",
    "publication_waits",
    "remove_cover",
    "require",
    "retry",
    "set_cover",
    "submit",
    "view",
]
