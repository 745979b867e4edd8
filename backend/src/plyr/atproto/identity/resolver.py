"""Who somebody is, proven in both directions, with a small memory."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from plyr.atproto.errors import AtprotoError
from plyr.atproto.guarded import GuardedClient
from plyr.atproto.identity.documents import DidDocument, fetch_document
from plyr.atproto.identity.errors import HandleUnverified, IdentityError
from plyr.atproto.identity.handles import HandleResolver
from plyr.atproto.identity.syntax import normalize_name, require_did
from plyr.kit.ids import Did, Handle

_TTL_S = 300.0
_ENTRIES = 5000

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Identity:
    """An account: its DID, its server, and its handle if both name each other (None otherwise)."""

    did: Did
    handle: Handle | None
    pds_url: str


class IdentityResolver:
    """handle → DID → server, and back.

    cost:   at most four bounded requests, none when it was asked within the last five minutes
    """

    def __init__(self, http: GuardedClient, handles: HandleResolver, *, plc_url: str) -> None:
        self._http = http
        self._handles = handles
        self._plc_url = plc_url.rstrip("/")
        self._documents: _Memory[DidDocument] = _Memory()
        self._dids: _Memory[Did] = _Memory()

    async def resolve(self, name: str, *, fresh: bool = False) -> Identity:
        """Return who a handle or DID is; `fresh` asks again whatever is remembered.

        errors: NameInvalid; HandleNotFound; HandleUnverified when a handle's account does not claim it back;
                DidNotFound; DidDocumentInvalid; UrlRefused, HostUnreachable, AnswerUnusable of the network
        """
        asked = normalize_name(name)
        if asked.startswith("did:"):
            return await self._resolve_did(Did(asked), fresh)
        handle = Handle(asked)
        did = require_did(await self._did_of(handle, fresh))
        document = await self.document(did, fresh=fresh)
        if document.claimed_handle != handle:
            raise HandleUnverified(f"{handle} points to an account that does not call itself {handle}")
        return Identity(did, handle, document.pds_url)

    async def _resolve_did(self, did: Did, fresh: bool) -> Identity:
        document = await self.document(did, fresh=fresh)
        try:
            proven = await self.proven_handle(document, fresh=fresh)
        except AtprotoError:
            proven = None
        return Identity(did, proven, document.pds_url)

    async def proven_handle(self, document: DidDocument, *, fresh: bool = False) -> Handle | None:
        """Return the handle a document claims if it points back, None if it is nobody's or another's.

        errors: UrlRefused, HostUnreachable, AnswerUnusable: then nothing is known
        """
        claimed = document.claimed_handle
        try:
            return claimed if claimed is not None and await self._did_of(claimed, fresh) == document.did else None
        except IdentityError:
            return None

    async def _did_of(self, handle: Handle, fresh: bool) -> Did:
        did = None if fresh else self._dids.get(handle)
        if did is None:
            did = await self._handles.resolve(handle)
            self._dids.put(handle, did)
        return did

    async def document(self, did: Did, *, fresh: bool = False) -> DidDocument:
        """Return an account's document, its handle not proven. errors: as `resolve`."""
        document = None if fresh else self._documents.get(did)
        if document is None:
            document = await fetch_document(self._http, self._plc_url, did)
            self._documents.put(did, document)
        return document


class _Memory(Generic[Value]):
    """The newest entries, each for a while."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[float, Value]] = OrderedDict()

    def get(self, key: str) -> Value | None:
        until, value = self._entries.get(key, (0.0, None))
        return value if until > time.monotonic() else None

    def put(self, key: str, value: Value) -> None:
        self._entries[key] = (time.monotonic() + _TTL_S, value)
        self._entries.move_to_end(key)
        if len(self._entries) > _ENTRIES:
            self._entries.popitem(last=False)
