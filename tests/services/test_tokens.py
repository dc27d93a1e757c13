"""Access tokens are renewed by one at a time, kept sealed, and taken over by the other processes."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from app.db.tables import Destination
from app.domain.errors import Unauthorized
from app.services import connections
from app.services.members import Actor, Role
from app.services.tokens import TokensOfDestination
from connectors.oauth import Token

LIFE_S = 3600

OTHER_PROCESS = """
import sys, time
from uuid import UUID
from app.services.tokens import TokensOfDestination
from connectors.oauth import Token

def renew(kept):
    print("renewed", flush=True)
    time.sleep(0.5)
    return Token("second", time.time() + 3600, "rotated-2")

print(TokensOfDestination(UUID(sys.argv[1]), UUID(sys.argv[2])).current(renew, refused="first").value)
"""


def destination(kit) -> Destination:
    kit.vendor("jira")
    [row] = connections.destinations(kit.workspace_id)
    return row


def test_eight_calls_at_once_renew_once_and_the_rotated_refresh_token_is_kept(kit):
    row, seen = destination(kit), []

    def renew(kept: Token | None) -> Token:
        seen.append(kept)
        time.sleep(0.05)
        return Token(f"t{len(seen)}", time.time() + LIFE_S, f"refresh-{len(seen)}")

    stores = [TokensOfDestination(kit.workspace_id, row.id) for _ in range(8)]  # as many processes have them
    with ThreadPoolExecutor(8) as threads:
        first = list(threads.map(lambda store: store.current(renew).value, stores))
        second = list(threads.map(lambda store: store.current(renew, refused="t1").value, stores))

    assert (first, second) == (["t1"] * 8, ["t2"] * 8)
    assert [kept and kept.refresh for kept in seen] == [None, "refresh-1"]
    [(sealed,)] = kit.sql("select token from destination_sync")
    assert "refresh-2" not in sealed and "t2" not in sealed


def test_two_processes_renew_once(kit):
    row = destination(kit)
    TokensOfDestination(kit.workspace_id, row.id).current(lambda kept: Token("first", time.time() + LIFE_S))
    command = [sys.executable, "-c", OTHER_PROCESS, str(kit.workspace_id), str(row.id)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    said = sorted(process.communicate(timeout=60)[0].split() for process in both)

    assert said == [["renewed", "second"], ["second"]]


def test_a_renewal_that_fails_keeps_what_was_there_and_the_next_call_tries_again(kit):
    row = destination(kit)
    store = TokensOfDestination(kit.workspace_id, row.id)
    store.current(lambda kept: Token("first", time.time() + LIFE_S, "r1"))

    def refused(kept: Token | None) -> Token:
        raise Unauthorized("revoked")

    for _ in range(2):
        try:
            store.current(refused, refused="first")
            raise AssertionError("it was not asked")
        except Unauthorized:
            continue
    seen = []
    store.current(lambda kept: seen.append(kept.refresh) or Token("second", time.time() + LIFE_S, "r2"), "first")

    assert seen == ["r1"]


def test_connecting_again_forgets_the_old_accounts_token(workspace):
    actor = Actor(None, "mia@acme.test", Role.MANAGER, workspace)
    jira = {"site": "acme", "email": "a@acme.test", "token": "jira-token", "project": "SUP"}
    row = connections.save_destination(actor, "jira", "jira", jira)
    TokensOfDestination(workspace, row.id).current(lambda kept: Token("old", time.time() + LIFE_S))

    connections.save_destination(actor, "jira", "jira", jira | {"token": "another"})

    fresh = TokensOfDestination(workspace, row.id).current(lambda kept: Token(f"{kept}", time.time() + LIFE_S))
    assert fresh.value == "None"
