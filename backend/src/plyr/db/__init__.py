"""Postgres: the engine with its limits, transactions, and LISTEN/NOTIFY."""

from sqlalchemy.ext.asyncio import AsyncSession as Session

from plyr.db.base import Base
from plyr.db.engine import Database, notify

__all__ = ["Base", "Database", "Session", "notify"]
