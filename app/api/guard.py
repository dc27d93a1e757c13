"""What every request passes before its endpoint: the key, its rate, its size; a POST, the answer it had before."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer, SecurityScopes
from redis import RedisError
from starlette.types import Message

from app.db.tables import Scope
from app.domain.errors import OctopusError
from app.logs import log
from app.services import api_keys, api_limits
from app.services.api_keys import Caller
from app.services.api_limits import Kept, Once
from app.services.members import Actor

Handler = Callable[[Request], Awaitable[Response]]
bearer = HTTPBearer(scheme_name="key", auto_error=False, description="A key from the page API keys: `oct_…`")


LARGEST_BODY = 256_000


class TooLarge(OctopusError):
    pass


class Guarded(APIRoute):
    """A route of the API. Who calls is known before the body is read."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            caller = await run_sync(_admitted, request.headers.get("authorization", ""))
            request = await _read(request)
            request.state.caller = caller
            key = request.headers.get("idempotency-key") if request.method == "POST" else None
            response = await (handle(request) if key is None else _once(request, handle, caller, key))
            response.headers["Cache-Control"] = "no-store"
            return response

        return guarded


def _admitted(authorization: str) -> Caller:
    kind, _, key = authorization.partition(" ")
    caller = api_keys.caller(key.strip() if kind.lower() == "bearer" else "")
    api_limits.admit(caller.key_id)
    return caller


async def _read(request: Request) -> Request:
    """The same request with its body in memory. Raises TooLarge before there is too much of it."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise TooLarge(f"A request may hold {LARGEST_BODY:,} bytes; this one is larger. Nothing was done.")
        chunks.append(chunk)
    whole = {"type": "http.request", "body": b"".join(chunks), "more_body": False}

    async def receive() -> Message:
        return whole

    return Request(request.scope, receive)


async def _once(request: Request, handle: Handler, caller: Caller, key: str) -> Response:
    address = f"{request.method} {request.url.path}?{request.url.query}\n"
    once = Once(caller.key_id, key, address.encode() + await request.body())
    if (before := await run_sync(once.begin)) is not None:
        return Response(before.body, before.status, {"Idempotent-Replayed": "true"}, before.content_type)
    try:
        response = await handle(request)
    except BaseException:
        await run_sync(once.let_go)
        raise
    try:
        await run_sync(once.keep, Kept(response.status_code, response.headers["content-type"], response.body.decode()))
    except RedisError as error:  # it is done all the same, and the caller should know
        log.warning("answer_not_kept", error=str(error), next_step="the same request meets a 409 for two minutes")
    return response


async def _acting(wanted: SecurityScopes, request: Request, _: Annotated[object, Depends(bearer)]) -> Actor:
    return request.state.caller.acting(Scope(wanted.scopes[0]))


Reader = Annotated[Actor, Security(_acting, scopes=[Scope.READ])]
Writer = Annotated[Actor, Security(_acting, scopes=[Scope.WRITE])]
Decider = Annotated[Actor, Security(_acting, scopes=[Scope.DECIDE])]
Deliverer = Annotated[Actor, Security(_acting, scopes=[Scope.DELIVER])]
Configurer = Annotated[Actor, Security(_acting, scopes=[Scope.CONFIGURE])]
