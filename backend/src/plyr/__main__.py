"""`python -m plyr`: every command of the backend."""

from plyr.cli.app import app

app(prog_name="plyr")
