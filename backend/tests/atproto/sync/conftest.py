"""fixtures of this folder: an http client for people, and jetstream hosts over the shared network."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
import pytest

from devstack.jetstream import Bridge
from devstack.network import Network
from devstack.ports import free_ports
from plyr.atproto.guarded import GuardedClient

StartBridge = Callable[[Bridge], Awaitable[str]]


@pytest.fixture
async def outside() -> AsyncIterator[httpx.AsyncClient]:
    """a client for plain calls of the PDS."""
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture
async def guarded() -> AsyncIterator[GuardedClient]:
    """the guarded client, allowed to talk to this machine."""
    async with GuardedClient(allow_loopback=True) as client:
        yield client


@pytest.fixture
async def start_bridge() -> AsyncIterator[StartBridge]:
    """`address = await start_bridge(Bridge(upstream))`: a jetstream host that ends with the test."""
    async with AsyncExitStack() as stack:

        async def start(bridge: Bridge) -> str:
            return await stack.enter_async_context(bridge.serving(free_ports(1)[0]))

        yield start


@pytest.fixture
def pds_socket(network: Network) -> str:
    """the shared network's PDS as a websocket address."""
    return network.pds_url.replace("http://", "ws://")
