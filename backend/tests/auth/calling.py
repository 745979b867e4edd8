"""a process of its own that calls a PDS many times at once, after a line on stdin."""

import asyncio
import json
import sys

from plyr.auth import pds
from plyr.config import load_settings
from plyr.errors import PlyrError
from plyr.kit.ids import Did
from plyr.runtime import open_resources
from plyr.telemetry.logs import configure_logs


async def main(did: Did, count: int) -> None:
    """say `ready`, wait for a line, call, and print what came of it."""
    configure_logs("json")
    async with open_resources(load_settings(), application_name="calling") as resources:
        await resources.db.ping()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

        async def call() -> str:
            try:
                answer = await pds.call(resources, did, "GET", "com.atproto.server.getSession")
            except PlyrError as error:
                return error.code
            return str(answer.json()["did"])

        print(json.dumps(await asyncio.gather(*(call() for _ in range(count)))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Did(sys.argv[1]), int(sys.argv[2])))
