"""A workspace with a million messages, made with COPY, and how long its pages take on the server.

The messages lie over 180 days and speak as customers do: a few words are everywhere, most are rare. 1 in 400 waits
for review, 1 in 2,000 failed; all others were delivered. Each page is run as Streamlit runs it for a click, without
the browser (its testing harness), and each of its queries is timed alone as well.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import psycopg

from bench.measure import spread
from bench.system import Product, World

ROOT = Path(__file__).parent.parent
MESSAGES = 1_000_000
DAYS, CONTACTS, WORDS = 180, 50_000, 20_000
RUNS = 20


def report(product: Product, world: World, n: int = MESSAGES) -> dict:
    runtime = product.runtime()
    os.environ |= {
        "DATABASE_URL": runtime["database_url"], "REDIS_URL": runtime["redis_url"],
        "OCTOPUS_DATA_DIR": str(product.data_dir),
    }  # fmt: skip
    started = time.monotonic()
    with psycopg.connect(runtime["database_url"]) as connection:
        workspace_id = _fill(connection, n)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
        floor = spread([_ms(lambda: connection.execute("select 1").fetchone()) for _ in range(RUNS)])
    figures = {"messages": n, "made_in_s": round(time.monotonic() - started), "floor_ms": floor}
    figures |= {"all hours counted in s": _roll_up(workspace_id)}
    return figures | _queries(workspace_id) | _pages(workspace_id)


# ---- making it


def _fill(connection: psycopg.Connection, n: int) -> UUID:
    from app.domain import search

    rng = random.Random(1)
    one = connection.execute("select id from workspace where key = 'acme'").fetchone()
    workspace = one[0]
    bots = [(row[0], row[1]) for row in connection.execute("select id, channel from bot order by key")]
    categories = [row[0] for row in connection.execute("select id from category order by key")]
    destination = connection.execute("select id from destination where key = 'jira'").fetchone()[0]
    vocabulary = _vocabulary(rng)
    people = [(uuid4(), uuid4(), rng.choice(bots)) for _ in range(CONTACTS)]
    _copy(connection, "contact (id, workspace_id, bot_id, external_id, name, created_at)", (
        (contact, workspace, bot[0], f"c{i}", f"Customer {i}", datetime.now(UTC))
        for i, (contact, _, bot) in enumerate(people)))  # fmt: skip
    _copy(connection, "conversation (id, workspace_id, bot_id, external_id, chat_id, type)", (
        (conversation, workspace, bot[0], f"c{i}", f"c{i}", "direct")
        for i, (_, conversation, bot) in enumerate(people)))  # fmt: skip

    made: list[tuple[UUID, datetime, UUID, UUID, str]] = []

    def messages() -> Iterator[tuple]:
        begin = datetime.now(UTC) - timedelta(days=DAYS)
        for i in range(n):
            at = begin + timedelta(days=DAYS) * (i / n)
            contact, conversation, (bot, channel) = people[int(CONTACTS * rng.random() ** 2)]
            status = "needs_review" if i % 400 == 0 else "failed" if i % 2000 == 1 else "routed"
            words = " ".join(vocabulary[int(WORDS * rng.random() ** 4)] for _ in range(rng.randrange(4, 30)))
            id_, category = _id_at(at, rng), categories[i % len(categories)]
            if status == "routed":
                made.append((id_, at, conversation, category, words))
            yield (
                id_, workspace, bot, conversation, contact, str(i), channel, "text", words, at, status, "",
                0, category, "normal", "neutral", rng.choice(("en", "en", "zh", "de")), 0.9, words[:60], at,
                search.vector(words),
            )  # fmt: skip

    _copy(connection, """message (id, workspace_id, bot_id, conversation_id, contact_id, external_id, channel, kind,
        text, received_at, status, status_reason, tries, category_id, priority, sentiment, language, confidence,
        title, next_try_at, search)""", messages())  # fmt: skip
    _copy(connection, """task (id, workspace_id, message_id, conversation_id, category_id, route_key, strategy,
        destinations, title, body, priority, created_at, last_message_at)""", (
        (uuid5(id_, "rest"), workspace, id_, conversation, category, "rest", "failover", '["jira"]', words[:60],
         words, "normal", at, at)
        for id_, at, conversation, category, words in made))  # fmt: skip
    _copy(connection, """delivery (id, workspace_id, task_id, destination_id, message_id, kind, status, cause, tries,
        looks, next_try_at, created_at, delivered_at, ref_id, ref_url, ref_status, error)""", (
        (_id_at(at, rng), workspace, uuid5(id_, "rest"), destination, id_, "create", "delivered", "", 1, 0, at, at,
         at, f"OCT-{i}", "https://jira.example/browse", "open", "")
        for i, (id_, at, *_) in enumerate(made)))  # fmt: skip
    _copy(connection, "timeline_entry (id, workspace_id, message_id, at, actor, event, data)", (
        (_id_at(at, rng), workspace, id_, at, "worker", event, "{}")
        for id_, at, *_ in made
        for event in ("received", "classified", "routed", "delivery_delivered")))  # fmt: skip
    return workspace


def _vocabulary(rng: random.Random) -> list[str]:
    letters = "etaoinshrdlucmfwypvbgk"
    latin = ["".join(rng.choice(letters) for _ in range(rng.randrange(3, 10))) for _ in range(WORDS * 9 // 10)]
    chinese = ["".join(chr(rng.randrange(0x4E00, 0x5800)) for _ in range(2)) for _ in range(WORDS // 10)]
    words = latin + chinese
    rng.shuffle(words)
    return words


def _id_at(moment: datetime, rng: random.Random) -> UUID:
    """A UUIDv7 of a past moment."""
    return UUID(
        int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62)
    )


def _copy(connection: psycopg.Connection, into: str, rows: Iterator[tuple]) -> None:
    with connection.cursor().copy(f"copy {into} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


# ---- timing it


def _roll_up(workspace_id: UUID) -> float:
    """Count every hour for the Service page; the product's own workers may have begun."""
    from app.db.engine import in_workspace
    from app.services import rollups

    started, waiting = time.monotonic(), "select count(*) from stale_hour where hour < date_trunc('hour', now())"
    while True:
        rollups.roll_up(workspace_id)
        with in_workspace(workspace_id) as session:
            if not session.connection().exec_driver_sql(waiting).scalar_one():
                return round(time.monotonic() - started, 1)
        time.sleep(0.5)


def _queries(workspace_id: UUID) -> dict:
    from app.services import dashboards, deliveries, inbox, service_report
    from app.services.inbox import Filter

    first = inbox.page(workspace_id, Filter())
    middle = _id_at(datetime.now(UTC) - timedelta(days=DAYS / 2), random.Random(2))
    common, rare = (line.text.split()[0] for line in (first.lines[0], first.lines[-1]))
    calls: dict[str, Callable[[], object]] = {
        "overview": lambda: dashboards.overview(workspace_id),
        "inbox": lambda: inbox.page(workspace_id, Filter()),
        "inbox, middle of the history": lambda: inbox.page(workspace_id, Filter(), before=middle),
        "inbox, failed": lambda: inbox.page(workspace_id, Filter(status=("failed",))),
        "inbox, category and language": lambda: inbox.page(workspace_id, Filter(category=("bug",), language=("zh",))),
        "inbox, priority nobody has": lambda: inbox.page(workspace_id, Filter(priority=("urgent",))),
        "inbox, channel of few": lambda: inbox.page(workspace_id, Filter(channel=("discord",), days=30)),
        "inbox, a word": lambda: inbox.page(workspace_id, Filter(text=common)),
        "inbox, two words": lambda: inbox.page(workspace_id, Filter(text=f"{common} {rare}")),
        "inbox, beginning of a word": lambda: inbox.page(workspace_id, Filter(text=common[:2])),
        "inbox, a word nobody wrote": lambda: inbox.page(workspace_id, Filter(text="zzzzzzzz")),
        "passport": lambda: inbox.passport(workspace_id, first.lines[3].id),
        "service, 30 days": lambda: service_report.report(workspace_id, service_report.Filter(days=30)),
        "service, 90 days": lambda: service_report.report(workspace_id, service_report.Filter(days=90), "category"),
        "deliveries": lambda: deliveries.page(workspace_id, deliveries.Filter()),
    }
    return {f"{name} ms": spread([_ms(call) for _ in range(RUNS)]) for name, call in calls.items()}


def _pages(workspace_id: UUID) -> dict:
    """The whole rerun: the app's frame, the page's script and its queries."""
    from streamlit.testing.v1 import AppTest
    from streamlit_authenticator.models import CookieModel

    from app.db.engine import in_system
    from app.db.tables.people import Membership, Person, Role
    from app.services import members

    CookieModel.get_cookie = lambda self: None  # there is no browser to ask
    with in_system() as session:
        who = Person(email="bench@acme.test", name="Bench", password_hash="", must_change_password=False)
        session.add(who)
        session.flush()
        who_id = who.id
        session.add(Membership(person_id=who_id, workspace_id=workspace_id, role=Role.OWNER))
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    app.session_state["authentication_status"] = True
    app.session_state["username"] = "bench@acme.test"
    app.session_state["sign-in-session"] = str(members.create_session(who_id))
    app.run()
    times = {}
    for page in ("overview", "service", "inbox", "deliveries", "review"):
        app.switch_page(f"../pages/{page}.py").run()
        if app.exception or not app.title:
            said = app.exception[0].message if app.exception else [one.value for one in (*app.markdown, *app.error)]
            raise RuntimeError(f"{page} failed: {said}")
        times[f"{page} page, rerun ms"] = spread([_ms(app.run) for _ in range(RUNS)])
    return times


def _ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
