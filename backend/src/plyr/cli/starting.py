"""What every command that works with the product's parts begins with."""

import sys

from plyr.config import Settings, load_settings
from plyr.runtime import require_usable
from plyr.telemetry.logs import configure_logs


def usable_settings() -> Settings:
    """Return this process's settings, or end it with a readable line and status 2."""
    settings = load_settings()
    configure_logs(settings.log_format)
    try:
        require_usable(settings)
    except ValueError as error:
        print(f"refusing to start: {error}", file=sys.stderr)
        sys.exit(2)
    return settings
