"""The REST API: `uvicorn app.api.main:app`. Each endpoint calls one service; the key says which workspace."""

from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline

from app import logs
from app.api import configuration, deliveries, messages, problems, shapes, tasks, webhooks, workspace
from app.services.api_limits import LONGEST_KEY

THREADS = 12  # of which each may need two of the engine's 24 connections
ABOUT = """
Messages, decisions, deliveries and configuration of one workspace: the one your key belongs to.

A key is made on the page *API keys* and sent as `Authorization: Bearer oct_…`. It has scopes: `read`, `write`,
`decide`, `deliver`, `configure`; none includes another. Errors are `application/problem+json` with a sentence in
`detail`.
A POST may carry an `Idempotency-Key`: within 24 hours the same request gets the same answer and is done once.
"""
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "Any text of your own, new for each thing to be done: a UUID, say",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}  # fmt: skip


@asynccontextmanager
async def lifespan(_: FastAPI):
    logs.start("api")
    current_default_thread_limiter().total_tokens = THREADS
    yield


def _schema() -> dict[str, Any]:
    """FastAPI's own, with the one shape all errors have."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = schema["components"]["schemas"]
        parts["Problem"] = shapes.Problem.model_json_schema()
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for method, operation in (pair for path in schema["paths"].values() for pair in path.items()):
            if method == "post":
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {
                "description": "It was not done; `detail` says why",
                "content": content,
            }
        for unused in ("HTTPValidationError", "ValidationError"):
            parts.pop(unused, None)
        app.openapi_schema = schema
    return app.openapi_schema


app = FastAPIOffline(
    title="Octopus", version="1", description=ABOUT, lifespan=lifespan, openapi_url="/api/openapi.json",
    docs_url="/api/docs", redoc_url=None, static_url="/api/docs-assets",
    # Without this, the page would ask a server of Swagger's about our schema.
    swagger_ui_parameters={"validatorUrl": None}, swagger_ui_oauth2_redirect_url="/api/docs/oauth2-redirect",
)  # fmt: skip
app.openapi = _schema
problems.install(app)
for part in (messages, tasks, deliveries, configuration, workspace, webhooks):
    app.include_router(part.router, prefix="/api/v1")


@app.get("/api/healthz", include_in_schema=False)
def healthz() -> dict[str, str]:
    return {"api": "ok"}
