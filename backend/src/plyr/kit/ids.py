"""Names for the identifiers that travel between modules, so that none of them is a bare string."""

from typing import NewType
from uuid import UUID

Did = NewType("Did", str)
Handle = NewType("Handle", str)
AtUri = NewType("AtUri", str)
Cid = NewType("Cid", str)
Nsid = NewType("Nsid", str)
RecordKey = NewType("RecordKey", str)
Rev = NewType("Rev", str)
TrackId = NewType("TrackId", int)
FileId = NewType("FileId", str)
ImageId = NewType("ImageId", str)
JobId = NewType("JobId", UUID)
UploadId = JobId
