"""Migrations, run from code: an empty database is built by them alone."""

from pathlib import Path

from alembic import command
from alembic.config import Config

_MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring a database to a revision; two at once take turns.

    errors: whatever Postgres says, with nothing changed: each run is one transaction
    """
    command.upgrade(alembic_config(database_url), revision)


def alembic_config(database_url: str) -> Config:
    """Return Alembic's configuration for a database."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["database_url"] = database_url
    return config
