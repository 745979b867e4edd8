"""people whose repos another app writes to."""

from collections.abc import Callable

import pytest

from devstack.network import Account, Network
from tests.index.foreign import ForeignClient

NewForeigner = Callable[[], ForeignClient]


@pytest.fixture
def new_foreigner(network: Network, new_account: Callable[[], Account]) -> NewForeigner:
    """make an account, and an app that is not ours to write to its repo."""
    return lambda: ForeignClient(network, new_account())
