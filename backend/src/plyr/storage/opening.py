"""From the setting STORAGE_URL to a store."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from plyr.storage.folder import FolderStore
from plyr.storage.protocol import BlobStore
from plyr.storage.s3 import S3BlobStore


def open_store(url: str) -> BlobStore:
    """Return the store a setting names; S3 credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.

    shape:  `file:///folder` or `s3://bucket?endpoint=http://…&region=auto`
    errors: ValueError for any other url
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        query = parse_qs(parts.query)
        return S3BlobStore(
            parts.netloc,
            endpoint=query.get("endpoint", [None])[0],
            region=query.get("region", ["auto"])[0],
        )
    raise ValueError("STORAGE_URL must be file:///folder or s3://bucket?endpoint=…&region=…")
