"""Deliveries through the API: seen, sent again, stopped."""

from app.domain.errors import Rejected


def failed_delivery(api) -> tuple[object, str]:
    vendor = api.kit.vendor("jira", script=[Rejected("no such field", "summary")])
    api.kit.route("jira")
    api.kit.say("#bug it broke")
    assert api.kit.states() == [("jira", "failed")]
    [line] = api.client("read").get("/deliveries").json()["items"]
    return vendor, line["id"]


def test_failed_deliveries_are_listed_and_counted_with_their_cause(api):
    _vendor, id_ = failed_delivery(api)
    client = api.client("read")

    [line] = client.get("/deliveries", params={"destination": "jira"}).json()["items"]
    assert (line["id"], line["status"]) == (id_, "failed") and "no such field" in line["error"]
    [count] = client.get("/deliveries/counts").json()
    assert (count["state"], count["cause"], count["count"]) == ("failed", line["cause"], 1)
    assert client.get("/deliveries", params={"state": "delivered"}).json() == {"items": [], "next": None}
    assert client.get("/deliveries", params={"destination": "notion"}).json()["items"] == []


def test_a_replayed_delivery_makes_the_task(api):
    vendor, id_ = failed_delivery(api)

    answer = api.client("deliver").post("/deliveries/replay", json={"ids": [id_]})
    api.kit.deliver()

    assert answer.json() == {"changed": 1, "left": {}}
    assert api.kit.states() == [("jira", "delivered")] and len(vendor.tasks) == 1


def test_a_cancelled_delivery_says_so_and_a_delivered_one_is_left(api):
    _vendor, id_ = failed_delivery(api)
    client = api.client("deliver")

    assert client.post("/deliveries/cancel", json={"ids": [id_]}).json() == {"changed": 1, "left": {}}
    assert api.kit.states() == [("jira", "cancelled")]
    assert client.post("/deliveries/cancel", json={"ids": [id_]}).json()["left"] == {"delivered or under way": 1}
