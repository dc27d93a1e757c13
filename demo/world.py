"""The simulated vendors of `./octopus up --demo`, one small server on loopback: chat services, CRMs and a model.

They are reached over real HTTP and answer as far as Octopus calls them. State: OCTOPUS_DATA_DIR/world.db.
"""

import os
import time

from starlette.applications import Starlette

from app.services import demo
from app.services.tour import SEEN_FILE
from app.settings import settings
from demo import chats, crms, model, screens
from demo.book import Book, Remote
from demo.receiver import Receiver

FIRST_TASK = "first task"


def first_task(task: Remote) -> None:
    """Say once how long it took from the command to the first task of all."""
    book: Book = app.state.book
    if book.kept(FIRST_TASK):
        return
    began_at = float(os.environ.get("OCTOPUS_COMMAND_AT", time.time()))
    book.keep(FIRST_TASK, f"{time.time() - began_at:.0f}")
    print(
        f"first task after {book.kept(FIRST_TASK)} s: '{task.title}' at the simulated {task.vendor.title()}", flush=True
    )


def to_bot(channel: str, number: int, customer: int, name: str, text: str) -> bool:
    """False: Octopus did not take it."""
    workspace_id = demo.workspace_id()
    return workspace_id is not None and Receiver(workspace_id).take(channel, number, customer, name, text)


app = Starlette(routes=[*chats.ROUTES, *crms.ROUTES, *model.ROUTES, *screens.ROUTES])
settings().data_dir.mkdir(parents=True, exist_ok=True)
app.state.book = Book(settings().data_dir / "world.db")
app.state.first_task = first_task
app.state.seen = (settings().data_dir / SEEN_FILE).touch
app.state.to_bot = to_bot
