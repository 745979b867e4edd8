"""What an ingest process answers over http: that it lives, how it stands, its figures."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from plyr.atproto.lexicon import load_lexicons
from plyr.atproto.sync.opening import open_source
from plyr.config import Settings
from plyr.db import Database
from plyr.db.faults import is_passing
from plyr.index.service import Rules
from plyr.ingest.main import Ingest, run
from plyr.ingest.standing import Standing
from plyr.outbox import service as outbox
from plyr.telemetry import ingesting as telemetry


def create_app(settings: Settings) -> FastAPI:
    """Return the application; while it runs, this process stands by or leads."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ingest = open_ingest(settings)
        app.state.ingest = ingest
        running = asyncio.create_task(run(ingest), name="ingest")
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await ingest.db.close()

    app = FastAPI(title="plyr.fm ingest", lifespan=lifespan, openapi_url=None)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> JSONResponse:
        faults, facts = await _readiness(app.state.ingest, settings.ingest_lag_limit_s)
        if not faults:
            return JSONResponse({"status": "ready", **facts})
        detail = f"not ready: {', '.join(faults)}"
        return JSONResponse({"error": "unavailable", "detail": detail, **facts}, status_code=503)

    @app.get("/metrics")
    async def metrics() -> Response:
        await _gauge(app.state.ingest)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def open_ingest(settings: Settings) -> Ingest:
    """Return what an ingest process works with; nothing is connected yet."""
    rules = Rules(settings.atproto_namespace, load_lexicons(settings.lexicon_dir, settings.atproto_namespace))
    database = Database(settings.database_url, pool_size=4, application_name="plyr-ingest")
    return Ingest(database, open_source(settings, rules.collections), rules, Standing())


async def _readiness(ingest: Ingest, lag_limit_s: float) -> tuple[list[str], dict[str, Any]]:
    standing, faults = ingest.standing, list[str]()
    leads = standing.role == "leader"
    facts = {"role": standing.role, "connected": standing.connected.is_set(), "lag_s": round(standing.lag_s, 3)}
    try:
        await ingest.db.ping()
    except Exception as error:
        if not is_passing(error):
            raise
        faults.append(f"the database does not answer ({type(error).__name__})")
    if leads and not standing.connected.is_set():
        faults.append("the source is not connected")
    if leads and standing.lag_s > lag_limit_s:
        faults.append(f"the index is {standing.lag_s:.0f} s behind, the limit is {lag_limit_s:g} s")
    if standing.role == "starting":
        faults.append("it has only just started")
    return faults, {**facts, "trouble": standing.trouble}


async def _gauge(ingest: Ingest) -> None:
    standing = ingest.standing
    telemetry.LEADER.set(standing.role == "leader")
    telemetry.CONNECTED.set(standing.connected.is_set())
    telemetry.LAG.set(standing.lag_s)
    telemetry.WAITING.set(standing.waiting)
    try:
        async with ingest.db.begin() as session:
            backlog = await outbox.measure(session)
    except Exception as error:
        if not is_passing(error):
            raise
        return  # the figures of the process itself are told all the same
    telemetry.OUTBOX.labels("due").set(backlog.due)
    telemetry.OUTBOX.labels("parked").set(backlog.parked)
    telemetry.OUTBOX_AGE.set(backlog.oldest_age_s)
    telemetry.ECHOES.set(backlog.echoes_overdue)
