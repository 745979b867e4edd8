"""DID documents: what we need of them, and where they are."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from plyr.atproto.addresses import names_loopback
from plyr.atproto.errors import AnswerUnusable
from plyr.atproto.guarded import GuardedClient
from plyr.atproto.identity.errors import DidDocumentInvalid, DidNotFound, DidTombstoned
from plyr.atproto.identity.syntax import did_web_host, is_handle
from plyr.kit.ids import Did, Handle


@dataclass(frozen=True, slots=True)
class DidDocument:
    """An account as its DID document tells it; the handle is only claimed until proven the other way."""

    did: Did
    claimed_handle: Handle | None
    pds_url: str


def parse_document(did: Did, document: dict[str, Any]) -> DidDocument:
    """Return what a DID document says. errors: DidDocumentInvalid if it is another's or names no PDS."""
    if document.get("id") != did:
        raise DidDocumentInvalid(f"the document of {did} belongs to somebody else")
    return DidDocument(did, _claimed_handle(document.get("alsoKnownAs")), _pds_url(did, document.get("service")))


async def fetch_document(http: GuardedClient, plc_url: str, did: Did) -> DidDocument:
    """Ask the PLC directory, or the host of a did:web, for an account's document.

    errors: DidNotFound, DidTombstoned; DidDocumentInvalid; UrlRefused, HostUnreachable, AnswerUnusable of the client
    """
    host = did_web_host(did)
    if host is None:
        url = f"{plc_url}/{did}"
    else:
        scheme = "http" if names_loopback(host.partition(":")[0]) else "https"
        url = f"{scheme}://{host}/.well-known/did.json"
    answer = await http.get(url, headers={"accept": "application/did+ld+json, application/json"})
    if answer.status == 410 and host is None:
        raise DidTombstoned(f"{did} was given up by its owner")
    if answer.status in (404, 410):
        raise DidNotFound(f"{did} is not registered")
    if answer.status != 200:
        raise AnswerUnusable(f"{urlsplit(url).netloc} answered {answer.status} when asked for {did}")
    return parse_document(did, answer.json_object())


def _claimed_handle(names: object) -> Handle | None:
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and name.startswith("at://"):
            handle = name.removeprefix("at://").lower()
            return Handle(handle) if is_handle(handle) else None
    return None


def _pds_url(did: Did, services: object) -> str:
    for service in services if isinstance(services, list) else []:
        if not isinstance(service, dict) or service.get("type") != "AtprotoPersonalDataServer":
            continue
        endpoint = service.get("serviceEndpoint")
        if service.get("id") in ("#atproto_pds", f"{did}#atproto_pds") and isinstance(endpoint, str):
            return _origin(did, endpoint)
    raise DidDocumentInvalid(f"{did} has no personal data server")


def _origin(did: Did, endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        if usable and parts.path in ("", "/") and not parts.query and not parts.fragment:
            return f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        pass
    raise DidDocumentInvalid(f"the server of {did} is not given as an address we can ask")
