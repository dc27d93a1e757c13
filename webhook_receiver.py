"""The door for chat services: POST /hooks/{channel}/{bot_key}. A 200 means the event is stored.

And for CRMs: /crm-hooks/{hook_key}. They only hint at changes, which are polled for as well.
"""

import asyncio
import gc
import sys
import time
from contextlib import asynccontextmanager

from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import logs
from app.domain.errors import BadSignature, Malformed, OctopusError
from app.domain.messages import RawRequest
from app.logs import log
from app.metrics import ACK_SECONDS, HOOKS, exposition
from app.services import sync
from app.services.accept import Receiver, Unavailable, UnknownBot
from app.services.spool import Spool
from app.settings import settings
from connectors import registry

LARGEST_BODY = 1_000_000
RETRY_AFTER_S = "5"


@asynccontextmanager
async def lifespan(app: Starlette):
    logs.start("receiver")
    app.state.receiver = Receiver(settings().database_url, Spool(settings().data_dir / "spool"))
    await app.state.receiver.start()
    _answer_evenly()
    try:
        yield
    finally:
        await app.state.receiver.stop()


def _answer_evenly() -> None:
    """Nothing holds up the event loop for long: neither a collection that walks all imported modules, nor the thread
    that queues jobs, which otherwise keeps the interpreter for 5 ms at a time. Together two thirds of the p99."""
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.0005)


async def hook(request: Request) -> Response:
    started = time.perf_counter()
    channel = request.path_params["channel"]
    try:
        answer = await _receiver(request).accept(channel, request.path_params["bot_key"], await _raw(request))
        response = Response(answer.body, answer.status, media_type=answer.content_type if answer.body else None)
        outcome = "stored" if answer.store else "answered"
    except TooLarge as error:
        outcome, response = "too_large", PlainTextResponse(str(error), 413)
    except UnknownBot as error:
        outcome, response = "unknown_bot", PlainTextResponse(str(error), 404)
    except BadSignature as error:
        outcome, response = "bad_signature", PlainTextResponse(str(error), 401)
    except Unavailable as error:
        outcome = "unavailable"
        response = PlainTextResponse(f"{error} Nothing was stored; send it again.", 503, {"Retry-After": RETRY_AFTER_S})
    HOOKS.labels(channel if channel in registry.channel_keys() else "unknown", outcome).inc()
    ACK_SECONDS.observe(time.perf_counter() - started)
    return response


async def crm_hook(request: Request) -> Response:
    """A CRM tells that a task changed. A hint only: what it says is read again from the CRM itself."""
    outcome = "taken"
    try:
        raw = await _raw(request)
        answer = await asyncio.to_thread(sync.notice, request.path_params["hook_key"], raw, time.time())
        media_type = answer.content_type if answer.body else None
        response = Response(answer.body, answer.status, answer.headers, media_type=media_type)
    except TooLarge as error:
        outcome, response = "too_large", PlainTextResponse(str(error), 413)
    except sync.UnknownDestination:
        outcome, response = "unknown", PlainTextResponse("No destination has this address.", 404)
    except BadSignature as error:
        outcome, response = "bad_signature", PlainTextResponse(str(error), 401)
    except Malformed as error:
        outcome, response = "malformed", PlainTextResponse(str(error), 400)
    except (SQLAlchemyError, RedisError) as error:
        log.warning("crm_hook_not_taken", error=str(error), next_step="the next poll finds the change")
        outcome, response = "unavailable", PlainTextResponse("Try again later.", 503, {"Retry-After": RETRY_AFTER_S})
    HOOKS.labels("crm", outcome).inc()
    return response


class TooLarge(OctopusError):
    pass


async def _raw(request: Request) -> RawRequest:
    """Reads the body up to the limit; a longer one is refused without being held in memory."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise TooLarge(f"A webhook request may hold {LARGEST_BODY:,} bytes; this one is larger and was not stored.")
        chunks.append(chunk)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.raw}
    query = request.scope["query_string"].decode("latin-1")
    return RawRequest(request.method, headers, b"".join(chunks), query, settings().hooks_url + request.url.path)


async def healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """Ready means: an event would be stored and a worker woken. The spool's size tells of trouble gone by."""
    receiver = _receiver(request)
    parts = await receiver.ready()
    return JSONResponse(parts | {"spooled": receiver.spool.count}, 200 if all(parts.values()) else 503)


async def metrics(_request: Request) -> Response:
    body, content_type = exposition()
    return Response(body, headers={"Content-Type": content_type})


def _receiver(request: Request) -> Receiver:
    return request.app.state.receiver


app = Starlette(
    routes=[
        Route("/hooks/{channel}/{bot_key}", hook, methods=["GET", "POST"]),
        Route("/crm-hooks/{hook_key}", crm_hook, methods=["GET", "POST", "HEAD"]),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ],
    lifespan=lifespan,
)
