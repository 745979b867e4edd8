"""Where audio and images lie: one protocol over a folder and over S3, and a row of ownership for every object."""

from plyr.storage.opening import open_store
from plyr.storage.protocol import BlobInfo, BlobStore

__all__ = ["BlobInfo", "BlobStore", "open_store"]
