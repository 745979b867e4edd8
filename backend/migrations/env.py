"""Alembic's environment: the tables of every domain, one transaction a run, one run at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

import plyr.artists.models
import plyr.auth.models
import plyr.comments.models
import plyr.cursors.models
import plyr.index.models
import plyr.jobs.models
import plyr.likes.models
import plyr.lists.models
import plyr.outbox.models
import plyr.repos.models
import plyr.storage.models
import plyr.tracks.models
import plyr.uploads.models  # noqa: F401
from plyr.db import Base, Database

_LOCK = 7_164_201


def _run(connection: Connection) -> None:
    connection.execute(text("set statement_timeout = 0"))
    connection.execute(text("set lock_timeout = 0"))
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})


async def _connect_and_run() -> None:
    database = Database(
        context.config.attributes["database_url"], pool_size=1, statement_s=None, application_name="plyr-migrate"
    )
    try:
        async with database.engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await database.close()


asyncio.run(_connect_and_run())
