"""Tasks, single deliveries, classifications and metrics through the API."""

from datetime import timedelta

from app.db.tables.base import now
from app.services import tasks


def sent(api, *texts: str):
    vendor = api.kit.vendor("jira")
    api.kit.route("jira")
    for chat, text in enumerate(texts):
        api.kit.say(text, chat=chat + 1)
    return vendor


def test_a_task_says_where_it_stands(api):
    sent(api, "#bug It crashed")
    client = api.client("read")

    [task] = client.get("/tasks").json()["items"]
    read = client.get(f"/tasks/{task['id']}").json()
    [delivery] = read["deliveries"]
    assert (task["category"], task["route"], task["withdrawn_at"]) == ("bug", "bugs", None)
    assert "#bug It crashed" in read["body"] and read | task == read
    assert (delivery["destination"], delivery["status"]) == ("jira", "delivered")
    assert delivery["ref_url"] == f"https://vendor.test/{task['id']}"


def test_tasks_come_newest_first_and_page_by_cursor(api, monkeypatch):
    monkeypatch.setattr(tasks, "PAGE", 2)
    sent(api, "#bug one", "#bug two", "#bug three")
    client = api.client("read")

    first = client.get("/tasks").json()
    second = client.get("/tasks", params={"cursor": first["next"]}).json()
    assert [item["title"] for item in first["items"] + second["items"]] == ["#bug three", "#bug two", "#bug one"]
    assert second["next"] is None
    assert client.get("/tasks", params={"since": (now() + timedelta(hours=1)).isoformat()}).json()["items"] == []
    assert client.get("/tasks", params={"cursor": "01a20a64-7172-762f-9315-2da0f6bc3897"}).status_code == 404


def test_a_delivery_shows_each_attempt(api):
    sent(api, "#bug It crashed")
    client = api.client("read")
    [line] = client.get("/deliveries", params={"state": "delivered"}).json()["items"]

    read = client.get(f"/deliveries/{line['id']}").json()
    assert (read["status"], read["destination"], read["route"]) == ("delivered", "jira", "bugs")
    assert [(attempt["number"], attempt["outcome"]) for attempt in read["attempts"]] == [(1, "delivered")]


def test_what_people_decided_is_listed_apart_from_what_rules_did(api):
    sent(api, "#bug It crashed", "what now")
    [message] = api.kit.sql("select id from message where status = 'needs_review'")
    api.client("decide").post(f"/messages/{message.id}/decision", json={"category": "billing"})
    client = api.client("read")

    [decided] = client.get("/classifications").json()["items"]
    assert (decided["message_id"], decided["category"], decided["source"]) == (str(message.id), "billing", "person")
    [by_rule] = client.get("/classifications", params={"source": "rule"}).json()["items"]
    assert by_rule["category"] == "bug"
    later = {"since": (now() + timedelta(hours=1)).isoformat()}
    assert client.get("/classifications", params=later).json() == {"items": [], "next": None}


def test_metrics_count_by_time_and_status(api):
    sent(api, "#bug It crashed", "what now")
    api.kit.say("and now", chat=9)
    client = api.client("read")

    metrics = client.get("/metrics", params={"hours": 6, "bucket_hours": 2}).json()
    assert len(metrics["buckets"]) == 3
    assert [bucket["messages"] for bucket in metrics["buckets"]] == [{}, {}, {"routed": 1, "needs_review": 2}]
    assert metrics["buckets"][-1]["deliveries"] == {"delivered": 1}
    assert client.get("/metrics", params={"hours": 10_000}).status_code == 422


def test_a_neighbour_reads_none_of_it(api, neighbour):
    sent(api, "#bug It crashed")
    [task] = api.kit.sql("select id from task")
    [delivery] = api.kit.sql("select id from delivery")
    client = api.client(workspace_id=neighbour)

    assert client.get("/tasks").json()["items"] == []
    assert client.get("/classifications", params={"source": "rule"}).json()["items"] == []
    assert {client.get(path).status_code for path in (f"/tasks/{task.id}", f"/deliveries/{delivery.id}")} == {404}
    assert all(bucket["messages"] == {} for bucket in client.get("/metrics").json()["buckets"])
