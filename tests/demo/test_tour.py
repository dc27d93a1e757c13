"""The tour's steps tick from what happened."""

from uuid import uuid4

from app.db.engine import in_system
from app.db.tables.base import now
from app.services import connections, demo, review, taxonomy, tour
from app.services.members import Actor, Role
from app.settings import settings
from tests.demo.test_customers import waiting


def steps(actor) -> tuple[bool, ...]:
    return tour.progress(actor).steps


def test_nothing_is_done_at_the_beginning(visitor):
    found = tour.progress(visitor)

    assert found.steps == (False,) * 6
    assert not found.hidden


def test_a_task_at_the_simulated_vendor_is_the_first_step(visitor):
    message, url = uuid4(), f"{settings().demo_url}/jira/browse/OCTODEMO-1"
    [destination, *_] = connections.destinations(visitor.workspace_id)
    with in_system() as session:
        session.connection().exec_driver_sql(
            """insert into delivery (id, workspace_id, task_id, destination_id, message_id, kind, status, cause, tries,
                looks, next_try_at, created_at, delivered_at, ref_id, ref_url, ref_status, error)
            values (%(id)s, %(w)s, %(id)s, %(d)s, %(m)s, 'create', 'delivered', '', 1, 0, %(at)s, %(at)s, %(at)s,
                'OCTODEMO-1', %(url)s, 'open', '')""",
            {"id": uuid4(), "w": visitor.workspace_id, "d": destination.id, "m": message, "at": now(), "url": url},
        )

    found = tour.progress(visitor)

    assert (found.newest, found.task_url) == (message, url)
    assert found.steps == (True, False, False, False, False, False)


def test_opening_a_message_is_the_second_step(visitor):
    tour.note_opened(visitor)

    assert steps(visitor)[1]


def test_three_answers_of_the_visitor_are_the_third_step_and_those_of_others_do_not_count(visitor, demo_kit):
    waiting(demo_kit, ["one", "two", "three", "four"])
    ids = [row.id for row in demo_kit.sql("select id from message order by id")]
    other = Actor(uuid4(), "noa@demo.test", Role.OWNER, visitor.workspace_id)
    review.decide(other, ids[0], None)
    for message_id in ids[1:3]:
        review.decide(visitor, message_id, None)
    assert tour.progress(visitor).answered == 2 and not steps(visitor)[2]

    review.decide(visitor, ids[3], None)

    assert steps(visitor)[2]


def test_looking_at_the_simulated_vendor_is_the_fourth_step(visitor):
    (settings().data_dir / tour.SEEN_FILE).touch()

    assert steps(visitor)[3]


def test_a_rule_of_the_visitor_is_the_fifth_step(visitor):
    assert not steps(visitor)[4]

    taxonomy.save_rule(visitor, "by-word", {"text_contains": "lamp"}, {"category": "bug"})

    assert steps(visitor)[4]


def test_something_real_is_the_sixth_step(visitor):
    connections.save_llm_account(visitor, "mine", {"provider": "anthropic", "model": "m", "api_key": "k"})

    found = tour.progress(visitor)

    assert found.real == {"llm_account"} and found.steps[5]


def test_the_tour_can_be_put_away_and_brought_back(visitor):
    tour.note_opened(visitor)
    tour.hide(visitor, True)
    assert tour.progress(visitor).hidden

    tour.hide(visitor, False)

    assert not tour.progress(visitor).hidden and tour.progress(visitor).opened


def test_elsewhere_there_is_no_tour_and_nothing_is_simulated(visitor, workspace, monkeypatch):
    elsewhere = Actor(uuid4(), "mia@acme.test", Role.OWNER, workspace)
    assert tour.progress(elsewhere) is None
    tour.note_opened(elsewhere)

    monkeypatch.setattr(settings(), "demo", False)

    assert tour.progress(visitor) is None
    assert not any(map(demo.is_simulated, connections.bots(visitor.workspace_id)))
    with in_system() as session:
        kept = session.connection().exec_driver_sql("select settings from workspace where id = %(w)s", {"w": workspace})
        assert "tour" not in kept.scalar_one()
