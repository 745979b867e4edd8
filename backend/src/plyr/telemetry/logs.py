"""Structured log lines on standard error, without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_SECRET_NAMES = re.compile(
    r"token|secret|password|authorization|cookie|session_id|code_verifier|dpop|assertion", re.IGNORECASE
)
_HIDDEN = "[hidden]"


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank every value whose name says that it is a secret."""
    for name in event:
        if name != "event" and _SECRET_NAMES.search(name):
            event[name] = _HIDDEN
    return event


def configure_logs(style: Literal["console", "json"]) -> None:
    """Set up logging of this process, the libraries' own lines included, from warnings up."""
    render: Any = structlog.processors.JSONRenderer()
    if style == "console":
        plain = structlog.dev.plain_traceback  # the rich one prints local variables, secrets among them
        render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, render],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=render, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
