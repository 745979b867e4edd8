"""Errors as answers: one JSON object `{"error": code, "detail": text, …}`, whatever went wrong."""

import uuid
from collections.abc import Sequence
from typing import Any, cast

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from plyr.db.faults import FAULTS, is_unavailable, is_unstorable
from plyr.errors import PlyrError

log = structlog.get_logger()

_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}


class Problem(BaseModel):
    """The one shape of every error."""

    model_config = ConfigDict(extra="allow")

    error: str
    detail: str


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may answer with these errors."""
    return {status: {"model": Problem} for status in statuses}


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of an application readable, and none a stack trace."""
    app.add_exception_handler(PlyrError, _named)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for fault in FAULTS:
        app.add_exception_handler(fault, _database)
    app.add_exception_handler(Exception, _unexpected)


def problem(status: int, code: str, detail: str, **extra: object) -> Response:
    """Return an error as an answer."""
    body = orjson.dumps({"error": code, "detail": detail, **extra}, default=str)
    return Response(body, status, media_type="application/json", headers={"cache-control": "no-store"})


async def _named(_request: Request, error: Exception) -> Response:
    error = cast("PlyrError", error)
    return problem(error.status, error.code, error.detail, **error.extra)


async def _invalid(_request: Request, error: Exception) -> Response:
    faults = cast("RequestValidationError", error).errors()
    return problem(422, "invalid_input", "; ".join(_sentence(fault) for fault in faults[:5]))


def _sentence(fault: dict[str, Any]) -> str:
    where: Sequence[object] = [part for part in fault["loc"] if part not in ("body", "query", "path", "header")]
    return f"{'.'.join(str(part) for part in where) or 'the request'}: {str(fault['msg']).lower()}"


async def _http(_request: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    answer = problem(error.status_code, _CODES.get(error.status_code, "invalid_request"), str(error.detail).lower())
    answer.headers.update(error.headers or {})
    return answer


async def _database(request: Request, error: Exception) -> Response:
    if is_unstorable(error):
        return problem(422, "invalid_input", "something you sent holds characters or numbers we cannot store")
    if not is_unavailable(error):
        return await _unexpected(request, error)
    log.warning("database_unavailable", path=request.url.path, error=type(error).__name__)
    answer = problem(503, "unavailable", "our database does not answer right now; nothing was lost, try again soon")
    answer.headers["retry-after"] = "5"
    return answer


async def _unexpected(request: Request, error: Exception) -> Response:
    number = uuid.uuid4().hex[:12]
    log.error("request_failed", path=request.url.path, number=number, exc_info=error)
    return problem(500, "internal", f"something broke on our side; tell us this number if it stays: {number}")
