"""the commands on the index as an operator types them: what they print, and how they end."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from devstack.network import Account, Network
from plyr.runtime import Resources
from tests.index.foreign import ForeignClient
from tests.index.test_reconcile import SUBJECT


async def _run(resources: Resources, *words: str) -> tuple[int, str, str]:
    """run `python -m plyr index …` on the test's database and network."""
    settings = resources.settings
    environment = dict(os.environ) | {
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "WEB_ORIGIN": settings.web_origin,
        "ATPROTO_PLC_URL": settings.atproto_plc_url,
        "ATPROTO_HANDLE_SERVERS": settings.atproto_handle_servers,
        "ATPROTO_ALLOW_LOOPBACK": "true",
    }
    pipe = asyncio.subprocess.PIPE
    argv = [sys.executable, "-m", "plyr", "index", *words]
    process = await asyncio.create_subprocess_exec(*argv, env=environment, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_index_discover_check_reconcile_rebuild_from_nothing_to_right(
    resources: Resources, network: Network, new_account: Callable[[], Account]
) -> None:
    app = ForeignClient(network, new_account())
    like = app.like(SUBJECT)
    status, out, _ = await _run(resources, "discover", "--host", app.network.pds_url)
    assert status == 0
    assert "new and will be read" in out
    status, out, _ = await _run(resources, "check", "--did", app.did, "--json")
    found = json.loads(out)
    assert status == 1
    assert {(one["table"], one["key"]) for one in found["differences"]} >= {("likes", like["uri"])}
    status, out, _ = await _run(resources, "reconcile", "--did", app.did)
    assert status == 0
    assert "1 records written, 0 deleted" in out
    assert (await _run(resources, "check", "--did", app.did))[0] == 0
    async with resources.db.begin() as session:
        await session.execute(text("update likes set created_at = now()"))
    status, out, _ = await _run(resources, "check", "--did", app.did)
    assert status == 1
    assert "created_at is" in out
    assert (await _run(resources, "rebuild", "--did", app.did))[0] == 0
    assert (await _run(resources, "check", "--did", app.did))[0] == 0


async def test_index_unknown_account_is_one_readable_line(resources: Resources) -> None:
    status, _, err = await _run(resources, "reconcile", "--did", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
    assert status == 1
    assert "is not registered" in err
    assert "Traceback" not in err
    assert (await _run(resources, "reconcile", "--did", "alice.test"))[0] == 2
