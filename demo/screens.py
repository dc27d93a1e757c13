"""What a visitor sees at the simulated vendors: one page each, with the tasks or the chats it holds."""

import time
from html import escape
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from demo.book import CANCELLED, DONE, IN_PROGRESS, OPEN, Book, Remote

CRMS = {"jira": "Jira", "linear": "Linear", "trello": "Trello"}
CHATS = {"telegram": "Telegram", "slack": "Slack"}
COLOURS = {OPEN: "#64748b", IN_PROGRESS: "#2563eb", DONE: "#15803d", CANCELLED: "#b45309"}
SHOWN = 200
VISITOR, VISITORS = 999_999, 1_000_000  # a visitor as a customer; what they write is numbered from here
LONGEST = 4000  # characters
SENT = {"yes": "Sent. It is in the Inbox within a second.", "no": "Octopus did not take it just now. Send it again."}
STYLE = """
:root{color-scheme:light dark;--line:#8883;--soft:#8882}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1.5rem}
nav{display:flex;gap:1rem;flex-wrap:wrap;border-bottom:1px solid var(--line);padding-bottom:.75rem}
nav a{text-decoration:none}nav a[aria-current]{font-weight:600}
.mark{background:#f59e0b;color:#1c1917;border-radius:.3rem;padding:.05rem .45rem;font-size:.8rem;font-weight:600}
textarea{width:100%;font:inherit;padding:.5rem}button{font:inherit;padding:.3rem 1rem}form{margin:1rem 0}
article{border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem;margin:.7rem 0;scroll-margin-top:1rem}
article:target{outline:2px solid #f59e0b}
article h2{font-size:1rem;margin:0 0 .2rem}
article p{margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
.small{font-size:.85rem;opacity:.75}
.status{color:#fff;border-radius:.3rem;padding:.05rem .45rem;font-size:.8rem}
.comment{border-left:3px solid var(--line);padding-left:.7rem}
"""


def _book(request: Request) -> Book:
    return request.app.state.book


async def vendor(request: Request) -> Response:
    name = request.path_params["vendor"]
    if name not in CRMS | CHATS:
        return HTMLResponse("There is nothing simulated at this address.", 404)
    if name in CRMS:
        tasks = _book(request).tasks(name)[:SHOWN]
        request.app.state.seen()
        body = "".join(_task(request, task) for task in tasks) or "<p>No task yet. It takes a few seconds.</p>"
        return _page(name, CRMS[name], "Tasks that Octopus made here, the newest first.", body)
    rows = _book(request).written(name, SHOWN)
    body = "".join(_said(*row) for row in rows) or "<p>Nothing yet: a customer is told when a task is done.</p>"
    return _page(name, CHATS[name], "What your bot wrote to customers, the newest first.", _form(request, name) + body)


async def write(request: Request) -> Response:
    """A visitor writes to the bot as a customer."""
    channel = request.path_params["channel"]
    text = parse_qs((await request.body()).decode()).get("text", [""])[0].strip()
    if channel not in CHATS or not text:
        return RedirectResponse(f"/{channel}", 303)
    number = VISITORS + _book(request).write("visitor", channel, text)  # the book gives each another number
    taken = await run_in_threadpool(request.app.state.to_bot, channel, number, VISITOR, "You", text[:LONGEST])
    return RedirectResponse(f"/{channel}?sent={'yes' if taken else 'no'}", 303)


def _form(request: Request, channel: str) -> str:
    said = SENT.get(request.query_params.get("sent", ""), "")
    return (
        f'<form method="post" action="/{channel}/write"><label>Write to the bot as a customer<br>'
        f'<textarea name="text" rows="2" maxlength="{LONGEST}" required></textarea></label><br>'
        f'<button>Send</button> <span class="small">{said}</span></form>'
    )


async def to_task(request: Request) -> Response:
    """The address a vendor gives a task, as in /jira/browse/KEY."""
    return RedirectResponse(f"/{request.path_params['vendor']}#{request.path_params['id']}")


async def home(request: Request) -> Response:
    return RedirectResponse("/jira")


def _task(request: Request, task: Remote) -> str:
    comments = "".join(
        f'<p class="comment">{escape(text)}<br><span class="small">{escape(author)}, {_ago(at)}</span></p>'
        for _id, text, at, author in _book(request).comments(task)
    )
    who = f" · {escape(task.assignee)}" if task.assignee else ""
    return (
        f'<article id="{escape(task.id)}"><h2>{escape(task.title)}</h2>'
        f'<span class="status" style="background:{COLOURS[task.status]}">{task.status}</span> '
        f'<span class="small">{escape(task.id)} · {_ago(task.made_at)}{who}</span>'
        f"<details><summary>Details</summary><p>{escape(task.body)}</p></details>{comments}</article>"
    )


def _said(chat: str, text: str, at: float) -> str:
    return f'<article><p>{escape(text)}</p><span class="small">To {escape(chat)}, {_ago(at)}</span></article>'


def _page(name: str, label: str, explanation: str, body: str) -> Response:
    links = "".join(
        f'<a href="/{each}"{" aria-current=page" if each == name else ""}>{title}</a>'
        for each, title in (CRMS | CHATS).items()
    )
    refresh = '<meta http-equiv="refresh" content="10">' if name in CRMS else ""  # elsewhere somebody may be typing
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{label}, simulated</title>'
        f'<meta name="viewport" content="width=device-width">{refresh}'
        f"<style>{STYLE}</style><nav>{links}</nav>"
        f'<h1>{label} <span class="mark">simulated</span></h1><p class="small">{explanation} '
        "This is a part of the demo, not the real service.</p>" + body
    )


def _ago(at: float) -> str:
    seconds = int(time.time() - at)
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"


ROUTES = [
    Route("/", home),
    Route("/{vendor:str}/browse/{id}", to_task),
    Route("/{vendor:str}/issue/{id}", to_task),
    Route("/{vendor:str}/c/{id}", to_task),
    Route("/{channel:str}/write", write, methods=["POST"]),
    Route("/{vendor}", vendor),
]
