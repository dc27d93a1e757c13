"""Three simulated vendors, as far as our connectors call them: Jira, Linear and Trello.

Each answers in the vendor's own shapes; what the shapes mean stands in `connectors/crm/`.
"""

import re
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.book import CANCELLED, DONE, IN_PROGRESS, OPEN, Book, Remote

JIRA_PROJECT = "OCTODEMO"  # no real project: a task of the demo must never be taken for an issue of a real Jira
JIRA_STATUS = {
    OPEN: ("1", "To Do", "new"), IN_PROGRESS: ("2", "In Progress", "indeterminate"), DONE: ("3", "Done", "done"),
    CANCELLED: ("4", "Cancelled", "done"),
}  # fmt: skip
LINEAR_STATE = {OPEN: "unstarted", IN_PROGRESS: "started", DONE: "completed", CANCELLED: "canceled"}
LINEAR_TEAM = {"id": "octodemo-product", "name": "Product team", "key": "OD"}
TRELLO_BOARD, TRELLO_LIST, TRELLO_DOING = (f"{digit}{'0' * 22}d" for digit in "123")
ME = "Octopus (simulated account)"
LAST_PAGE = {"hasNextPage": False, "endCursor": None}


def book(request: Request) -> Book:
    return request.app.state.book


def came_in(request: Request, task: Remote) -> Remote:
    request.app.state.first_task(task)
    return task


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def root(request: Request, vendor: str) -> str:
    return f"{str(request.base_url).rstrip('/')}/{vendor}"


# ---- Jira


def jira_status(name: str) -> dict[str, Any]:
    id_, label, category = JIRA_STATUS[name]
    return {"id": id_, "name": label, "statusCategory": {"key": category}}


def jira_issue(task: Remote) -> dict[str, Any]:
    assignee = {"displayName": task.assignee} if task.assignee else None
    fields = {"status": jira_status(task.status), "updated": iso(task.changed_at), "assignee": assignee}
    return {"id": str(10_000 + task.number), "key": task.id, "fields": fields}


def plain(document: Any) -> str:
    """The words of Atlassian's document format."""
    if not isinstance(document, dict):
        return str(document or "")
    inner = "".join(plain(part) for part in document.get("content", ()))
    own = "\n" if document.get("type") == "hardBreak" else document.get("text", "")
    return own + inner + ("\n" if document.get("type") == "paragraph" else "")


async def jira_fixed(request: Request) -> Response:
    """What never changes: who we are, the project, its issue type and fields."""
    path = request.path_params["path"]
    fields = [
        {"fieldId": name.lower(), "name": name, "required": name == "Summary", "schema": {"type": "string"}}
        for name in ("Summary", "Environment")
    ]
    answers = {
        "myself": {"displayName": ME, "accountId": "octopus"},
        "project/search": {"values": [{"key": JIRA_PROJECT, "name": "Customer service"}], "isLast": True},
        f"issue/createmeta/{JIRA_PROJECT}/issuetypes": {"issueTypes": [{"id": "1", "name": "Task"}], "isLast": True},
        f"issue/createmeta/{JIRA_PROJECT}/issuetypes/1": {"fields": fields, "isLast": True},
        "user/assignable/search": [],
        "mypermissions": {"permissions": {}},
    }
    if path not in answers:
        return JSONResponse({"errorMessages": ["The simulated Jira does not know this."], "errors": {}}, 404)
    return JSONResponse(answers[path])


async def jira_create(request: Request) -> Response:
    fields = (await request.json())["fields"]
    number = len(book(request).tasks("jira")) + 1
    key = f"{JIRA_PROJECT}-{number}"
    kept = {"labels": fields.get("labels", [])}
    task = book(request).add("jira", key, fields["summary"], plain(fields.get("description")), kept)
    return JSONResponse({"id": str(10_000 + number), "key": came_in(request, task).id}, 201)


async def jira_search(request: Request) -> Response:
    """By label, or changed since a time: the two questions our connector asks."""
    jql = (await request.json())["jql"]
    label, since = re.search(r'labels = "([^"]+)"', jql), re.search(r"updated >= (\d+)", jql)
    tasks = book(request).tasks("jira", int(since[1]) / 1000 if since else 0.0)
    found = [task for task in tasks if label is None or label[1] in task.fields["labels"]]
    return JSONResponse({"issues": [jira_issue(task) for task in found], "isLast": True})


async def jira_issue_call(request: Request) -> Response:
    task = book(request).task("jira", request.path_params["key"])
    if task is None:
        return JSONResponse({"errorMessages": ["Issue does not exist"], "errors": {}}, 404)
    if request.method == "PUT":
        fields = (await request.json())["fields"]
        text = plain(fields.get("description")) or task.body
        book(request).change("jira", task.id, fields.get("summary", task.title), text, task.fields)
        return Response(status_code=204)
    return JSONResponse(jira_issue(task))


async def jira_comment(request: Request) -> Response:
    task = book(request).task("jira", request.path_params["key"])
    if request.method == "POST":
        book(request).comment("jira", task.id, plain((await request.json())["body"]).strip())
        return JSONResponse({"id": "1"}, 201)
    found = [
        {"id": id_, "created": iso(at), "author": {"displayName": author},
         "body": {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]}}
        for id_, text, at, author in book(request).comments(task)
    ]  # fmt: skip
    return JSONResponse({"comments": found, "total": len(found), "startAt": 0})


async def jira_transitions(request: Request) -> Response:
    key = request.path_params["key"]
    if request.method == "POST":
        wanted = (await request.json())["transition"]["id"]
        book(request).set_status("jira", key, next(name for name in JIRA_STATUS if JIRA_STATUS[name][0] == wanted))
        return Response(status_code=204)
    steps = [
        {"id": JIRA_STATUS[name][0], "name": JIRA_STATUS[name][1], "to": jira_status(name)} for name in JIRA_STATUS
    ]
    return JSONResponse({"transitions": steps})


# ---- Linear


def linear_issue(request: Request, task: Remote) -> dict[str, Any]:
    return {
        "id": task.id, "url": f"{root(request, 'linear')}/issue/{task.id}", "trashed": False,
        "updatedAt": iso(task.changed_at), "state": {"type": LINEAR_STATE[task.status]},
        "assignee": {"displayName": task.assignee, "name": task.assignee} if task.assignee else None,
    }  # fmt: skip


async def linear(request: Request) -> Response:
    """One address for all questions; told apart by the names our connector gives them."""
    asked = await request.json()
    name = re.match(r"(?:query|mutation) (\w+)", asked["query"])[1]
    answer = LINEAR.get(name)
    if answer is None:
        return JSONResponse(linear_error("The simulated Linear does not know this."), 400)
    return JSONResponse(answer(request, asked["variables"]))


def linear_error(message: str) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": "INPUT_ERROR"}}]}


def linear_create(request: Request, variables: dict[str, Any]) -> dict[str, Any]:
    wanted = variables["input"]
    try:
        task = book(request).add("linear", wanted["id"], wanted["title"], wanted.get("description", ""), {})
    except KeyError:
        return linear_error("An issue with this id already exists")
    return {"data": {"issueCreate": {"success": True, "issue": linear_issue(request, came_in(request, task))}}}


def linear_update(request: Request, variables: dict[str, Any]) -> dict[str, Any]:
    wanted, id_ = variables["input"], variables["id"]
    task = book(request).task("linear", id_)
    if task is None:
        return linear_error("Entity not found: Issue")
    if state := wanted.get("stateId"):
        book(request).set_status("linear", id_, next(name for name, kind in LINEAR_STATE.items() if kind == state))
    else:
        title, text = wanted.get("title", task.title), wanted.get("description", task.body)
        book(request).change("linear", id_, title, text, task.fields)
    return {"data": {"issueUpdate": {"success": True}}}


def linear_comment(request: Request, variables: dict[str, Any]) -> dict[str, Any]:
    wanted = variables["input"]
    book(request).comment("linear", wanted["issueId"], wanted["body"])
    return {"data": {"commentCreate": {"success": True}}}


def linear_find(request: Request, variables: dict[str, Any]) -> dict[str, Any]:
    task = book(request).task("linear", variables["id"])
    return {"data": {"issues": {"nodes": [linear_issue(request, task)] if task else []}}}


def linear_changes(request: Request, variables: dict[str, Any]) -> dict[str, Any]:
    since = datetime.fromisoformat(variables["since"]).timestamp()
    nodes = [linear_issue(request, task) for task in book(request).tasks("linear", since)]
    return {"data": {"issues": {"nodes": nodes, "pageInfo": LAST_PAGE}}}


def linear_states(request: Request, variables: dict[str, Any]) -> dict[str, Any]:
    task = book(request).task("linear", variables["id"])
    states = [{"id": kind, "type": kind, "position": n} for n, kind in enumerate(LINEAR_STATE.values())]
    issue = {"state": {"type": LINEAR_STATE[task.status]}, "team": {"states": {"nodes": states}}} if task else None
    return {"data": {"issue": issue}}


def linear_comments(request: Request, variables: dict[str, Any]) -> dict[str, Any]:
    task = book(request).task("linear", variables["id"])
    nodes = [
        {"id": id_, "body": text, "createdAt": iso(at), "user": {"displayName": author, "name": author}}
        for id_, text, at, author in (book(request).comments(task) if task else ())
    ]
    return {"data": {"issue": {"comments": {"nodes": nodes, "pageInfo": LAST_PAGE}}}}


LINEAR = {
    "Viewer": lambda request, variables: {"data": {"viewer": {"name": ME}, "team": LINEAR_TEAM}},
    "Teams": lambda request, variables: {"data": {"teams": {"nodes": [LINEAR_TEAM], "pageInfo": LAST_PAGE}}},
    "People": lambda request, variables: {"data": {"team": {"members": {"nodes": [], "pageInfo": LAST_PAGE}}}},
    "Create": linear_create, "Update": linear_update, "Comment": linear_comment, "Find": linear_find,
    "Changes": linear_changes, "States": linear_states, "Comments": linear_comments,
}  # fmt: skip


# ---- Trello


def trello_card(request: Request, task: Remote) -> dict[str, Any]:
    return {
        "id": task.id, "shortUrl": f"{root(request, 'trello')}/c/{task.id}", "desc": task.body, "name": task.title,
        "closed": task.status == CANCELLED, "dueComplete": task.status == DONE,
        "idList": TRELLO_DOING if task.status == IN_PROGRESS else TRELLO_LIST,
        "dateLastActivity": iso(task.changed_at),
        "members": [{"fullName": task.assignee}] if task.assignee else [],
    }  # fmt: skip


async def trello_fixed(request: Request) -> Response:
    path = request.path_params["path"]
    lists = [{"id": TRELLO_LIST, "name": "To do"}, {"id": TRELLO_DOING, "name": "Doing"}]
    answers = {
        "members/me": {"fullName": ME},
        "members/me/boards": [{"id": TRELLO_BOARD, "name": "Warehouse", "lists": lists}],
        f"lists/{TRELLO_LIST}": {"id": TRELLO_LIST, "name": "To do", "idBoard": TRELLO_BOARD, "closed": False},
        f"boards/{TRELLO_BOARD}/members": [], f"boards/{TRELLO_BOARD}/customFields": [],
    }  # fmt: skip
    if path.startswith("tokens/"):
        return JSONResponse({"permissions": [{"write": True}]})
    if path not in answers:
        return Response("The simulated Trello does not know this.", 404)
    return JSONResponse(answers[path])


async def trello_labels(request: Request) -> Response:
    """Every label is there: its name is its id."""
    if request.method == "POST":
        return JSONResponse({"id": (await request.json())["name"]})
    return JSONResponse([])


async def trello_cards(request: Request) -> Response:
    """All cards of the board, or a new one."""
    if request.method == "POST":
        wanted = await request.json()
        kept = {"labels": wanted.get("idLabels", "").split(",")}
        task = book(request).add("trello", token_hex(12), wanted["name"], wanted.get("desc", ""), kept)
        return JSONResponse(trello_card(request, came_in(request, task)))
    return JSONResponse([trello_card(request, task) for task in book(request).tasks("trello")])


async def trello_changed(request: Request) -> Response:
    since = datetime.fromisoformat(request.query_params["since"]).timestamp()
    return JSONResponse([
        {"id": task.id, "data": {"card": {"id": task.id}}} for task in book(request).tasks("trello", since)
    ])  # fmt: skip


async def trello_one(request: Request) -> Response:
    task = book(request).task("trello", request.path_params["id"])
    if task is None:
        return Response("The requested resource was not found.", 404)
    if request.method == "PUT":
        wanted = await request.json()
        if "dueComplete" in wanted:
            status = DONE if wanted["dueComplete"] else CANCELLED if wanted["closed"] else OPEN
            book(request).set_status("trello", task.id, status)
        else:
            title, text = wanted.get("name", task.title), wanted.get("desc", task.body)
            book(request).change("trello", task.id, title, text, task.fields)
        task = book(request).task("trello", task.id)
    return JSONResponse(trello_card(request, task))


async def trello_comment(request: Request) -> Response:
    book(request).comment("trello", request.path_params["id"], (await request.json())["text"])
    return JSONResponse({"id": "1"})


async def trello_comments(request: Request) -> Response:
    task = book(request).task("trello", request.path_params["id"])
    return JSONResponse([
        {"id": id_, "date": iso(at), "data": {"text": text}, "memberCreator": {"fullName": author}}
        for id_, text, at, author in reversed(book(request).comments(task) if task else [])
    ])  # fmt: skip


JIRA_API, TRELLO_API = "/jira/rest/api/3", "/trello/1"
ROUTES = [
    Route(f"{JIRA_API}/issue", jira_create, methods=["POST"]),
    Route(f"{JIRA_API}/search/jql", jira_search, methods=["POST"]),
    Route(f"{JIRA_API}/issue/{{key}}", jira_issue_call, methods=["GET", "PUT"]),
    Route(f"{JIRA_API}/issue/{{key}}/comment", jira_comment, methods=["GET", "POST"]),
    Route(f"{JIRA_API}/issue/{{key}}/transitions", jira_transitions, methods=["GET", "POST"]),
    Route(f"{JIRA_API}/{{path:path}}", jira_fixed),
    Route("/linear/graphql", linear, methods=["POST"]),
    Route(f"{TRELLO_API}/cards", trello_cards, methods=["POST"]),
    Route(f"{TRELLO_API}/boards/{TRELLO_BOARD}/cards", trello_cards),
    Route(f"{TRELLO_API}/boards/{TRELLO_BOARD}/labels", trello_labels, methods=["GET", "POST"]),
    Route(f"{TRELLO_API}/boards/{TRELLO_BOARD}/actions", trello_changed),
    Route(f"{TRELLO_API}/cards/{{id}}", trello_one, methods=["GET", "PUT"]),
    Route(f"{TRELLO_API}/cards/{{id}}/actions/comments", trello_comment, methods=["POST"]),
    Route(f"{TRELLO_API}/cards/{{id}}/actions", trello_comments),
    Route(f"{TRELLO_API}/{{path:path}}", trello_fixed),
]
