"""Telegram, Jira and a server with chat completions, as far as connecting to them goes; on loopback."""

import json

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

TELEGRAM_TOKEN = "123:AAsecret"
JIRA_FIELDS = [
    {"fieldId": "summary", "name": "Summary", "required": True, "schema": {"type": "string"}},
    {"fieldId": "components", "name": "Components", "required": False, "schema": {"type": "array"},
     "allowedValues": [{"name": "Web"}, {"name": "App"}]},
    {"fieldId": "environment", "name": "Environment", "required": False, "schema": {"type": "string"}},
]  # fmt: skip


def telegram(server: HTTPServer) -> str:
    """Knows one bot; returns the address to type as its own."""
    me = {"ok": True, "result": {"id": 123, "is_bot": True, "username": "acme_support_bot"}}
    server.expect_request(f"/bot{TELEGRAM_TOKEN}/getMe").respond_with_json(me)
    server.expect_request(f"/bot{TELEGRAM_TOKEN}/setWebhook", method="POST").respond_with_json(
        {"ok": True, "result": True}
    )
    return server.url_for("").rstrip("/")


def jira(server: HTTPServer) -> str:
    """Has the projects SUP and DEV, with one issue type."""
    api = "/rest/api/3"
    projects = [{"key": "SUP", "name": "Support"}, {"key": "DEV", "name": "Development"}]
    server.expect_request(f"{api}/myself").respond_with_json({"displayName": "Octo Pus"})
    server.expect_request(f"{api}/project/search").respond_with_json({"values": projects, "isLast": True})
    for project in projects:
        types = f"{api}/issue/createmeta/{project['key']}/issuetypes"
        server.expect_request(types).respond_with_json({"issueTypes": [{"id": "10001", "name": "Task"}]})
        server.expect_request(f"{types}/10001").respond_with_json({"fields": JIRA_FIELDS})
    return server.url_for("").rstrip("/")


def chat_completions(server: HTTPServer) -> str:
    """Answers every question with the first category."""
    said = {"category": "greeting", "confidence": 0.9, "priority": "normal", "sentiment": "neutral", "language": "en",
            "title": "Hello", "reason": "It is a greeting."}  # fmt: skip
    message = {"role": "assistant", "content": json.dumps(said)}
    server.expect_request("/v1/chat/completions", method="POST").respond_with_json({
        "id": "1", "object": "chat.completion", "created": 1, "model": "small",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    })  # fmt: skip
    return server.url_for("/v1")


def linear(server: HTTPServer) -> str:
    """Its consent page lets everybody in at once; knows one team, to those who show the token it gave."""

    def consent(request: Request) -> Response:
        back = f"{request.args['redirect_uri']}?code=the-code&state={request.args['state']}"
        return Response(status=302, headers={"Location": back})

    def graphql(request: Request) -> Response:
        if request.headers["Authorization"] != "Bearer short":
            return Response(status=401)
        team = {"id": "team-1", "name": "Support", "key": "SUP"}
        teams = {"nodes": [team], "pageInfo": {"hasNextPage": False, "endCursor": None}}
        said = {"viewer": {"name": "Octo Pus"}, "team": team, "teams": teams}
        return Response(json.dumps({"data": said}), mimetype="application/json")

    server.expect_request("/oauth/authorize").respond_with_handler(consent)
    server.expect_request("/oauth/token", method="POST").respond_with_json(
        {"access_token": "short", "refresh_token": "long", "expires_in": 3600}
    )
    server.expect_request("/graphql", method="POST").respond_with_handler(graphql)
    return server.url_for("").rstrip("/")
