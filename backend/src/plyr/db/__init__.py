"""Postgres: the engine with its limits, transactions, and LISTEN/NOTIFY."""

from plyr.db.base import Base
from plyr.db.engine import Database, notify

__all__ = ["Base", "Database", "notify"]
