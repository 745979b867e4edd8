"""who somebody is: dns, well-known, did:web, did:plc, and proof in both directions."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.network import Account, Network
from plyr.atproto.errors import AnswerUnusable, HostUnreachable, UrlRefused
from plyr.atproto.guarded import GuardedClient
from plyr.atproto.identity import HandleResolver, IdentityResolver, normalize_name
from plyr.atproto.identity.errors import (
    DidDocumentInvalid,
    DidNotFound,
    HandleNotFound,
    HandleUnverified,
    NameInvalid,
)
from tests.atproto.servers import NameServer, WebServer, name_server, public_web

HANDLE = "artist.example.com"
OTHER = "other.example.com"
DID = "did:web:artist.example.com"
PDS = "https://pds.example.com"


@dataclass
class World:
    """an internet of a few names."""

    web: WebServer
    names: NameServer
    identities: IdentityResolver

    def document(self, did: str = DID, handle: str | None = HANDLE, **changes: Any) -> None:
        """publish a did:web document."""
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": PDS}
        known_as = [f"at://{handle}"] if handle else []
        body = {"id": did, "alsoKnownAs": known_as, "service": [service]} | changes
        self.web.page(did.removeprefix("did:web:"), "/.well-known/did.json", json.dumps(body))

    def well_known(self, handle: str, did: str) -> None:
        """let a handle's web server say who it is."""
        self.web.page(handle, "/.well-known/atproto-did", did + "\n")

    def txt(self, handle: str, *texts: str) -> None:
        """let a handle's DNS say who it is."""
        self.names.texts[f"_atproto.{handle}"] = list(texts)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with _world(tmp_path) as world:
        yield world


@asynccontextmanager
async def _world(folder: Path) -> AsyncIterator[World]:
    async with public_web(folder, HANDLE, OTHER) as (web, http, _), name_server() as names:
        handles = HandleResolver(http, dns_resolver=names.resolver)
        yield World(web, names, IdentityResolver(http, handles, plc_url="https://plc.example.com"))


@pytest.mark.parametrize("by", ["dns", "web", "both"])
async def test_resolve_handle_by_dns_and_by_web(world: World, by: str) -> None:
    world.document()
    if by != "web":
        world.txt(HANDLE, "v=spf1 -all", f"did={DID}")
    if by != "dns":
        world.well_known(HANDLE, DID)
    identity = await world.identities.resolve(f"@{HANDLE.upper()}")
    assert (identity.did, identity.handle, identity.pds_url) == (DID, HANDLE, PDS)


async def test_resolve_remembers_for_a_while_and_asks_again_when_told(world: World) -> None:
    world.document()
    world.well_known(HANDLE, DID)
    await world.identities.resolve(HANDLE)
    asked = len(world.web.asked)
    await world.identities.resolve(HANDLE)
    assert len(world.web.asked) == asked
    await world.identities.resolve(HANDLE, fresh=True)
    assert len(world.web.asked) == 2 * asked


async def test_resolve_handle_that_dns_and_web_disagree_about_is_refused(world: World) -> None:
    world.document()
    world.txt(HANDLE, f"did={DID}")
    world.well_known(HANDLE, "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
    with pytest.raises(HandleUnverified):
        await world.identities.resolve(HANDLE)


async def test_resolve_handle_with_two_dids_in_dns_is_refused(world: World) -> None:
    world.document()
    world.txt(HANDLE, f"did={DID}", "did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
    with pytest.raises(HandleUnverified):
        await world.identities.resolve(HANDLE)


async def test_resolve_forged_handle_is_refused(world: World) -> None:
    """anybody can point their own domain at somebody else's account."""
    world.document()
    world.well_known(OTHER, DID)
    with pytest.raises(HandleUnverified):
        await world.identities.resolve(OTHER)


async def test_resolve_did_that_claims_a_foreign_handle_has_none(world: World) -> None:
    """anybody can write somebody else's handle into their own document."""
    world.document("did:web:other.example.com", HANDLE)
    world.document()
    world.well_known(HANDLE, DID)
    assert (await world.identities.resolve("did:web:other.example.com")).handle is None
    assert (await world.identities.resolve(DID)).handle == HANDLE


async def test_resolve_did_without_a_proven_handle_still_works(world: World) -> None:
    world.document(handle=None)
    assert (await world.identities.resolve(DID)).handle is None
    world.document()
    assert (await world.identities.resolve(DID, fresh=True)).handle is None


async def test_resolve_unknown_names_are_not_found(world: World) -> None:
    with pytest.raises(HandleNotFound):
        await world.identities.resolve(HANDLE)
    with pytest.raises(DidNotFound):
        await world.identities.resolve(DID)


async def test_resolve_with_one_way_broken_uses_the_other(world: World) -> None:
    world.document()
    world.names.texts[f"_atproto.{HANDLE}"] = None
    world.well_known(HANDLE, DID)
    assert (await world.identities.resolve(HANDLE)).did == DID


async def test_resolve_with_both_ways_broken_does_not_say_that_nobody_is_there(world: World) -> None:
    world.names.texts["_atproto.gone.example.com"] = None
    with pytest.raises(HostUnreachable):
        await world.identities.resolve("gone.example.com")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "did:web:other.example.com"},
        {"service": []},
        {"service": "x"},
        {"service": [{"id": "#other", "type": "AtprotoPersonalDataServer", "serviceEndpoint": PDS}]},
        {"service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": f"{PDS}/path"}]},
        {
            "service": [
                {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://u@x.com"}
            ]
        },
        {"service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": 7}]},
        {"service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://[::1"}]},
    ],
)
async def test_resolve_did_with_an_unusable_document_is_refused(world: World, changes: dict[str, Any]) -> None:
    world.document(**changes)
    with pytest.raises(DidDocumentInvalid):
        await world.identities.resolve(DID)


@pytest.mark.parametrize("body", ["", "[]", "not json", '"did"', "[" * 100_000])
async def test_resolve_did_with_nonsense_as_document_is_refused(world: World, body: str) -> None:
    world.web.page(HANDLE, "/.well-known/did.json", body)
    with pytest.raises(AnswerUnusable):
        await world.identities.resolve(DID)


async def test_resolve_did_web_inside_a_network_is_refused() -> None:
    async with GuardedClient() as http:
        identities = IdentityResolver(http, HandleResolver(http), plc_url="https://plc.directory")
        for did in ("did:web:127.0.0.1", "did:web:localhost%3A8000", "did:web:10.0.0.1"):
            with pytest.raises((UrlRefused, NameInvalid)):
                await identities.resolve(did)


async def test_resolve_on_the_local_network_in_both_directions(
    network: Network, new_account: Callable[[], Account]
) -> None:
    account = new_account()
    async with GuardedClient(allow_loopback=True) as http:
        handles = HandleResolver(http, servers={".test": network.pds_url})
        identities = IdentityResolver(http, handles, plc_url=network.plc_url)
        for name in (account.handle, account.did):
            identity = await identities.resolve(name)
            assert (identity.did, identity.handle, identity.pds_url) == (account.did, account.handle, network.pds_url)
        with pytest.raises(HandleNotFound):
            await identities.resolve("nobody-here.test")
        with pytest.raises(DidNotFound):
            await identities.resolve("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "alice",
        "alice.",
        ".com",
        "a..b",
        "-a.com",
        "a.com-",
        "a.1",
        "ali ce.com",
        "x.local",
        "did:",
        "did:plc:short",
        "did:key:abc",
        "did:web:",
        "a.b/c",
        "a@b.com",
        "x" * 300 + ".com",
    ],
)
def test_normalize_name_refuses_what_is_no_name(name: str) -> None:
    with pytest.raises(NameInvalid):
        normalize_name(name)


@pytest.mark.parametrize(
    "typed", ["alice.test", "@alice.test", " Alice.TEST ", "at://alice.test", "\u202aalice.test\u202c", "alice.test."]
)
def test_normalize_name_forgives_how_people_write(typed: str) -> None:
    assert normalize_name(typed) == "alice.test"


@given(st.text(max_size=80))
def test_normalize_name_takes_any_text(text: str) -> None:
    try:
        name = normalize_name(text)
    except NameInvalid:
        return
    assert normalize_name(name) == name
