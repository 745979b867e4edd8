"""migrations: one head, and an empty database built by them alone is what the models say."""

from alembic import command
from alembic.script import ScriptDirectory

from plyr.db.migrations import alembic_config


def test_migrations_models_and_tables_do_not_differ(database_url: str) -> None:
    command.check(alembic_config(database_url))


def test_migrations_have_one_head(database_url: str) -> None:
    assert len(ScriptDirectory.from_config(alembic_config(database_url)).get_heads()) == 1
