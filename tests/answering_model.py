"""A language model that answers by a word of the message, over real HTTP, and the workspace it is asked in."""

import json

import pytest
from werkzeug import Response

from app.services import connections

GUESSES = {"crash": ("bug", 0.9), "invoice": ("billing", 0.9), "refund": ("billing", 0.7), "slow": ("bug", 0.4)}


@pytest.fixture
def model(mia, httpserver):
    """A language model that decides by a word of the message, and keeps the questions it got."""
    questions: list[str] = []

    def answer(request) -> Response:
        question = request.get_json()["messages"][-1]["content"]
        questions.append(question)
        category, confidence = next((GUESSES[w] for w in GUESSES if w in question), ("none_of_these", 0.9))
        if "Wish" in str(request.get_json()["messages"][0]) and "hello" in question:
            category = "wish"
        said = {
            "category": category, "priority": "high" if "vip" in question else "normal", "sentiment": "neutral",
            "language": "en", "title": "A title", "confidence": confidence, "reason": "A word.",
        }  # fmt: skip
        whole = {
            "id": "1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant",
                                                                          "content": json.dumps(said)}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }  # fmt: skip
        return Response(json.dumps(whole), mimetype="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(answer)
    connections.save_llm_account(mia, "main", {
        "provider": "openai_chat", "model": "m", "api_key": "k", "base_url": httpserver.url_for("/v1"),
        "price_in": 1.0, "price_out": 5.0,
    })  # fmt: skip
    return questions


def arrange(kit) -> None:
    kit.vendor("jira")
    kit.vendor("zoho")
    kit.route("jira")
    kit.route("zoho", "jira", key="billing", when={"category": ["billing"]})
    kit.sql('update workspace set settings = settings || \'{"classify": {"local": {"audit_share": 0}}}\'')
