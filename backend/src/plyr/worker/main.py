"""The worker process."""

import asyncio
import contextlib
import signal
from datetime import timedelta

import structlog
from docket import Docket, Worker

from plyr.config import Settings
from plyr.runtime import open_resources
from plyr.worker.housekeeping import keep_house, watch_echoes
from plyr.worker.relay import relay_jobs, relay_repo_writes
from plyr.worker.tasks import Tasks

CONCURRENCY = 8

log = structlog.get_logger()


async def run_worker(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await work(settings, stop)


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop; what is half done is given back and done by the next worker."""
    redelivery = timedelta(seconds=settings.job_lease_s)
    async with (
        open_resources(settings, application_name="plyr-worker") as resources,
        Docket(name=settings.docket_name, url=settings.docket_url) as docket,
        Worker(docket, concurrency=CONCURRENCY, redelivery_timeout=redelivery) as worker,
    ):
        tasks = Tasks(resources)
        docket.register(tasks.run_job)
        docket.register(tasks.deliver)

        async def hand_job(job_id: str) -> None:
            await docket.add(tasks.run_job, key=f"job:{job_id}")(job_id)

        async def hand_repo(did: str) -> None:
            await docket.add(tasks.deliver)(did)

        running = [
            asyncio.create_task(relay_jobs(resources.db, hand_job)),
            asyncio.create_task(relay_repo_writes(resources.db, hand_repo)),
            asyncio.create_task(keep_house(resources)),
            asyncio.create_task(watch_echoes(resources)),
            asyncio.create_task(worker.run_forever()),
        ]
        log.info("worker ready")
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([*running, stopped], return_when=asyncio.FIRST_COMPLETED)
        await _end(running, stopped)


async def _end(running: "list[asyncio.Task[None]]", stopped: "asyncio.Task[bool]") -> None:
    stopped.cancel()
    ended = [task for task in running if task.done()]
    for task in running:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
    for task in ended:
        task.result()
