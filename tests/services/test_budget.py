"""What LLMs may cost in a month: counted exactly, kept across a lost Redis, and never overrun for long."""

import pytest

from app import enqueue
from app.domain.errors import Forbidden, InvalidInput
from app.services import audit, budget, configuration
from app.services.audit import Wanted
from app.services.members import Actor, Role

ZONE = "Europe/Berlin"


@pytest.fixture
def config(kit, actor):
    """The workspace's configuration, with a budget of one dollar."""
    budget._read.cache_clear()
    budget.save(actor, 1.0)
    return configuration.current(kit.workspace_id)


def costs(kit, usd: float) -> None:
    kit.say("what?")
    kit.sql("update classification set cost_usd = %(usd)s", usd=usd)


def test_under_the_budget_the_llm_is_asked_and_over_it_the_reason_says_what_to_do(config):
    assert budget.why_not(config) == ""

    budget.spent(config.workspace.id, ZONE)
    budget.add(config, 1.25)
    budget._read.cache_clear()

    assert "budget of $1.00" in budget.why_not(config) and "raises the budget" in budget.why_not(config)


def test_without_a_budget_nothing_is_counted_or_held_back(kit):
    config = configuration.current(kit.workspace_id)
    budget.add(config, 1000.0)

    assert budget.why_not(config) == "" and budget.spent(kit.workspace_id, ZONE) == 0.0


def test_a_lost_redis_is_counted_again_from_the_classifications(kit, config):
    costs(kit, 0.4)
    assert budget.spent(kit.workspace_id, ZONE) == pytest.approx(0.4)

    budget.add(config, 0.2)
    assert budget.spent(kit.workspace_id, ZONE) == pytest.approx(0.6)
    enqueue.redis().delete(budget._key(kit.workspace_id, ZONE))

    assert budget.spent(kit.workspace_id, ZONE) == pytest.approx(0.4)


def test_what_was_spent_last_month_does_not_count(kit, config):
    costs(kit, 5.0)
    kit.sql("update classification set id = '01890000-0000-7000-8000-000000000001'")

    assert budget.spent(kit.workspace_id, ZONE) == 0.0


def test_a_changed_budget_is_audited_and_only_a_manager_may_change_it(kit, actor, config):
    agent = Actor(None, "ann@acme.test", Role.AGENT, kit.workspace_id)

    with pytest.raises(Forbidden):
        budget.save(agent, 5.0)
    with pytest.raises(InvalidInput):
        budget.save(actor, -1.0)
    budget.save(actor, None)

    [newest, *_] = audit.entries(kit.workspace_id, Wanted())
    assert (newest.before, newest.after) == ({"budget_usd": 1.0}, {"budget_usd": None})
