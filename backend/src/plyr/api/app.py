"""The FastAPI application: its routes, its errors, and what it opens and closes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute

from plyr.api import artists, auth, media, meta, tracks, uploads
from plyr.api.problems import add_problem_handlers
from plyr.config import Settings
from plyr.runtime import open_resources


def create_app(settings: Settings | None) -> FastAPI:
    """Return the application; without settings it can only describe itself."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings is None:
            raise RuntimeError("the api cannot run without settings")
        async with open_resources(settings, application_name="plyr-api") as resources:
            app.state.resources = resources
            yield

    app = FastAPI(
        title="plyr.fm",
        version="0.1.0",
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        docs_url="/docs",
        redoc_url=None,
    )
    add_problem_handlers(app)
    for module in (meta, auth, artists, uploads, tracks, media):
        app.include_router(module.router)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
