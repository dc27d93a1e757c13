"""What went wrong, as RFC 9457 has it: application/problem+json with a sentence for a person."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis import RedisError
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException

from app.api.guard import TooLarge
from app.domain.errors import Forbidden, InvalidInput, NotFound, OctopusError
from app.domain.lifecycle import IllegalStep
from app.logs import log
from app.services.api_keys import KeyRefused
from app.services.api_limits import TooManyRequests, UnderWay

RETRY_AFTER_S = "5"
STATUSES: dict[type[OctopusError], int] = {  # of several that fit, the first
    KeyRefused: 401,
    Forbidden: 403,
    NotFound: 404,
    IllegalStep: 409,
    UnderWay: 409,
    TooLarge: 413,
    InvalidInput: 422,
    TooManyRequests: 429,
}


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> ProblemResponse:
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    return ProblemResponse(content, status, headers)


def install(app: FastAPI) -> None:
    app.add_exception_handler(OctopusError, _ours)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DataError, _not_storable)
    app.add_exception_handler(SQLAlchemyError, _away)
    app.add_exception_handler(RedisError, _away)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(_request: Request, error: OctopusError) -> ProblemResponse:
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
    headers = {}
    if isinstance(error, KeyRefused):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    field = {"field": error.field} if isinstance(error, InvalidInput) and error.field else {}
    said = str(error) if str(error).endswith(".") else f"{error}. Nothing was done."
    return problem(status, said, headers, **field)


async def _not_valid(_request: Request, error: RequestValidationError) -> ProblemResponse:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]).encode("utf-8", "replace").decode()
    said = first["msg"].removeprefix("Value error, ")
    detail = f"The {first['loc'][0]} of the request cannot be used{f': {field}' if field else ''}: {said}."
    return problem(422, f"{detail} Nothing was done.", **({"field": field} if field else {}))


async def _http(_request: Request, error: HTTPException) -> ProblemResponse:
    said = {404: "There is nothing at this address. /api/docs lists what there is."}
    return problem(error.status_code, said.get(error.status_code, f"{error.detail}."), error.headers)


async def _not_storable(_request: Request, _error: DataError) -> ProblemResponse:
    return problem(422, "The request holds a character or a number that the database cannot keep. Nothing was done.")


async def _away(_request: Request, error: SQLAlchemyError | RedisError) -> ProblemResponse:
    log.warning("api_unavailable", error=str(error), next_step="the caller tries again")
    detail = (
        f"The database or Redis did not do its part. Try again in {RETRY_AFTER_S} s; a POST with its Idempotency-Key."
    )
    return problem(503, detail, {"Retry-After": RETRY_AFTER_S})


async def _unforeseen(request: Request, error: Exception) -> ProblemResponse:
    error_id = uuid4().hex[:8]
    log.error("api_failed", error_id=error_id, method=request.method, path=request.url.path, exc_info=error)
    detail = f"Something broke here. Give your operator this number, which finds the cause in the logs: {error_id}"
    return problem(500, detail)
