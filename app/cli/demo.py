"""`./octopus up --demo`: a world of our own instead of accounts elsewhere, in a data directory of its own."""

import os
import sys
from pathlib import Path

from app.settings import settings

FOLDER = Path(__file__).parents[2] / "demo"
PERSON = "demo@octopus.local"
# A demo must reach its own world on loopback and nothing else of an installation there may be.
OF_A_REAL_INSTALLATION = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


def enter() -> None:
    """Point this process, and those it starts, to the demo's own data and world."""
    for name in OF_A_REAL_INSTALLATION:
        os.environ.pop(name, None)
    os.environ |= {
        "OCTOPUS_DATA_DIR": str(settings().data_dir / "demo"), "OCTOPUS_ALLOW_PRIVATE_HOSTS": "true",
        "OCTOPUS_DEMO": "true",
    }  # fmt: skip
    settings.cache_clear()


def prepare() -> list[str]:
    """Make the workspace and the people where they are not there yet; returns what to say about signing in."""
    from app.services import demo, members, portability
    from demo import colleague

    if demo.workspace_id() is None:
        os.environ["WORLD"] = settings().demo_url
        portability.apply_file(FOLDER / "workspace.yaml")
    else:
        demo.move_world(settings().demo_url)
    password = members.add_user(PERSON, "owner", demo.WORKSPACE, "You")
    members.add_user(colleague.EMAIL, "manager", demo.WORKSPACE, colleague.NAME)
    here, data_dir = Path.cwd(), settings().data_dir
    data_dir = data_dir.relative_to(here) if data_dir.is_relative_to(here) else data_dir
    if password:
        sign_in = f"Sign in as {PERSON} with the password {password} (you choose your own at once)."
    else:
        sign_in = (
            f"Sign in as {PERSON} with the password you chose "
            f"(forgotten: OCTOPUS_DATA_DIR={data_dir} ./octopus user reset {PERSON})."
        )
    return [
        sign_in,
        "This is a demo. Simulated: customers on Telegram and Slack, a colleague in Review, the language model, and "
        f"Jira, Linear and Trello, to be looked at on {settings().demo_url}. Nothing leaves this machine.",
        f"Its data stand in {data_dir} and mix with no other. While it runs, connections may go to private addresses.",
        "Begin with the tour on the Overview; its last step puts something real in the place of a simulated part.",
    ]  # fmt: skip


def world() -> list[str]:
    return [
        sys.executable, "-m", "uvicorn", "demo.world:app", "--host", "127.0.0.1", "--port", str(settings().demo_port),
        "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


def customers() -> list[str]:
    return [sys.executable, "-m", "demo.customers"]
