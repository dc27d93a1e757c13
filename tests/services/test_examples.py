"""Old labelled tickets warm a workspace up: nothing comes in unseen, nothing twice, and all of it goes out again."""

from uuid import uuid4

import pytest

from app import enqueue
from app.db import learning as learning_store
from app.db.engine import in_system, in_workspace
from app.db.tables import Category
from app.domain.errors import Forbidden, InvalidInput
from app.domain.tickets_file import Columns, read
from app.services import audit, examples, learning, releases, review, review_queue, taxonomy
from app.services.audit import Wanted
from app.services.learning import LocalSettings
from app.services.members import Actor, Role
from tests.services.test_learning import BILLS, BUGS, THINGS, actor, last

COLUMNS = Columns("text", "label", "priority", "language")
MEANINGS = {"Bugs": "bug", "Invoices": "billing"}


def csv_of(*rows: str) -> bytes:
    return "\n".join(("text;label;priority;language", *rows)).encode()


def old_tickets(n: int = 120) -> bytes:
    """Half bugs, half bills."""
    rows = [
        f"{template.format(f'{thing} {number}')};{label};;"
        for number in range(4)
        for thing in THINGS
        for label, templates in (("Bugs", BUGS), ("Invoices", BILLS))
        for template in templates
    ]
    return csv_of(*rows[:n])


def look(kit, content: bytes, name: str = "old.csv") -> examples.Found:
    return examples.look(kit.workspace_id, read(name, content), COLUMNS)


def bring_in(kit, content: bytes | None = None, meanings=None, added=None, name: str = "old.csv"):
    return examples.bring_in(actor(kit), name, look(kit, content or old_tickets()), meanings or MEANINGS, added or {})


def learn(kit) -> None:
    """What the queued job does."""
    learning.learn(kit.workspace_id)


def count(kit) -> int:
    return kit.sql("select count(*) from labelled_example")[0][0]


# ---- looking


def test_looking_tells_what_would_come_in_and_changes_nothing(kit):
    found = look(kit, csv_of(
        "It crashed;Bugs;high;en", "it  CRASHED;Bugs;;", "It crashed!;Invoices;;", ";Bugs;;", "Refund me;Invoices;;",
        "It crashed;Invoices;;", "one;two",
    ))  # fmt: skip

    assert (found.rows, found.repeated, found.known) == (7, 1, 0)
    assert [(ticket.text, ticket.line) for ticket in found.new] == [
        ("It crashed", 2), ("It crashed!", 4), ("Refund me", 6),
    ]  # fmt: skip
    assert found.counts == {"Invoices": 2, "Bugs": 1}
    assert [(one.line, one.reason) for one in found.refused] == [
        (5, "The column 'text' is empty."),
        (7, "Line 2 says the same in another category."),
        (8, "It has 2 columns where the first line has 4."),
    ]
    assert count(kit) == 0 and examples.standing(kit.workspace_id).imports == []


def test_a_column_of_many_values_is_no_category(kit):
    numbered = csv_of(*(f"text {chr(0x4E00 + n)};ticket {n};;" for n in range(examples.MOST_CATEGORIES + 1)))

    with pytest.raises(InvalidInput, match="'label' holds 201 different values") as refused:
        look(kit, numbered)

    assert refused.value.field == "category"


def test_text_and_category_are_two_columns(kit):
    with pytest.raises(InvalidInput):
        examples.look(kit.workspace_id, read("old.csv", old_tickets()), Columns("text", "text"))


# ---- bringing in


def test_what_was_looked_at_comes_in_with_its_labels_and_the_audit_log_tells(kit):
    made = bring_in(kit, csv_of("It crashed;Bugs;P1;en", "Refund me;Invoices;whatever;Deutsch", "Hello;Other;;"))

    rows = kit.sql("""select e.text, c.key, e.priority, e.language from labelled_example e
                      join category c on c.id = e.category_id order by e.id""")
    assert [tuple(row) for row in rows] == [("It crashed", "bug", "urgent", "en"), ("Refund me", "billing", None, None)]
    [listed] = examples.standing(kit.workspace_id).imports
    assert (listed.id, listed.rows, listed.actor, listed.file_name) == (made.id, 2, "mia@acme.test", "old.csv")
    [entry] = [one for one in audit.entries(kit.workspace_id, Wanted()) if one.noun == "imported tickets"]
    assert (entry.action, entry.key, entry.after["rows"]) == ("import", "old.csv", 2)


def test_the_same_file_twice_adds_nothing(kit):
    bring_in(kit)
    again = look(kit, old_tickets())

    assert (again.new, again.known) == ((), 120)
    with pytest.raises(InvalidInput, match="nothing to import"):
        bring_in(kit)
    assert count(kit) == 120


def test_two_managers_with_the_same_file_import_it_once(kit):
    both = look(kit, old_tickets())
    examples.bring_in(actor(kit), "old.csv", both, MEANINGS, {})

    with pytest.raises(InvalidInput, match="meanwhile"):
        examples.bring_in(actor(kit), "old.csv", both, MEANINGS, {})

    assert (count(kit), len(examples.standing(kit.workspace_id).imports)) == (120, 1)


def test_a_new_category_is_added_and_one_without_tickets_is_not(kit):
    bring_in(kit, csv_of("Hi;Chatter;;"), {"Chatter": "chatter", "Nobody": "nobody"},
             {"chatter": "Chatter", "nobody": "Nobody"})  # fmt: skip

    assert [row.key for row in taxonomy.categories(kit.workspace_id, live=True)] == ["bug", "billing", "chatter"]


def test_a_category_that_exists_keeps_its_description(kit):
    taxonomy.save_category(actor(kit), "bug", "Bug", "Something is broken", "high", 60, live=True)

    bring_in(kit, csv_of("It crashed;Bugs;;"), {"Bugs": "bug"}, {"bug": "Bugs"})

    bug = taxonomy.categories(kit.workspace_id, live=True)[0]
    assert (bug.name, bug.description, bug.sla_min) == ("Bug", "Something is broken", 60)


def test_a_category_archived_meanwhile_stops_the_whole_import(kit):
    found = look(kit, old_tickets())
    kit.sql("delete from rule")
    taxonomy.delete(actor(kit), Category, "billing", live=True)

    with pytest.raises(InvalidInput, match="'billing'"):
        examples.bring_in(actor(kit), "old.csv", found, MEANINGS, {})

    assert count(kit) == 0 and examples.standing(kit.workspace_id).imports == []


def test_only_a_manager_imports_and_removes(kit):
    made = bring_in(kit)
    agent = actor(kit, Role.AGENT)
    for change in (
        lambda: examples.bring_in(agent, "old.csv", look(kit, csv_of("New;Bugs;;")), MEANINGS, {}),
        lambda: examples.remove(agent, made.id),
    ):
        with pytest.raises(Forbidden):
            change()

    assert count(kit) == 120


def test_what_is_imported_is_kept_to_the_letter_however_odd(kit):
    odd = "![x](http://evil.test) <script>alert(1)</script> 你好 \U0001f600"

    bring_in(kit, csv_of(f"{odd};Bugs;;"), {"Bugs": "bug"})

    assert kit.sql("select text from labelled_example")[0][0] == odd


def test_progress_is_told_to_the_end(kit, monkeypatch):
    monkeypatch.setattr(examples, "AT_ONCE", 50)
    heard = []

    examples.bring_in(actor(kit), "old.csv", look(kit, old_tickets()), MEANINGS, {}, heard.append)

    assert heard == [pytest.approx(50 / 120), pytest.approx(100 / 120), 1.0]


# ---- learning


def test_the_model_learns_an_import_and_suggests_without_one_decision_of_a_person(kit):
    bring_in(kit)
    assert not examples.standing(kit.workspace_id).learnt
    learn(kit)

    kit.say("since yesterday the app crashes when I open videos")

    step = last(kit).steps[-1]
    assert (step["source"], step["answer"], last(kit).status) == ("local", "bug", "needs_review")
    assert examples.standing(kit.workspace_id).learnt
    assert learning.versions(kit.workspace_id)[0].metrics["imported"] == 120


def test_imported_labels_prove_nothing_so_the_model_does_not_answer_alone(kit):
    bring_in(kit)
    learn(kit)

    _, thresholds = learning.now_answering(kit.workspace_id)

    assert thresholds.reviewed == 0
    kit.say("it says error message on the videos screen")
    assert last(kit).status == "needs_review"


def test_the_same_words_as_an_imported_ticket_suggest_its_category_to_a_person(kit):
    bring_in(kit)
    learn(kit)

    kit.say("The app crashes when I open settings 0")

    [step] = [step for step in last(kit).steps if step["source"] == "memory"]
    assert (step["answer"], step["reason"]) == ("bug", "an imported ticket says the same words")
    assert last(kit).status == "needs_review"


def test_two_processes_do_not_fit_the_same_model_at_once(kit):
    bring_in(kit)
    with in_workspace(kit.workspace_id) as other:
        assert learning_store.may_fit(other, kit.workspace_id)
        learn(kit)
        assert learning.versions(kit.workspace_id) == []

    learn(kit)
    assert len(learning.versions(kit.workspace_id)) == 1


def test_many_categories_leave_room_for_fewer_imported_tickets(kit, monkeypatch):
    bring_in(kit)
    monkeypatch.setattr(learning, "MOST_CELLS", 40 * len(taxonomy.categories(kit.workspace_id)))

    learn(kit)

    assert learning.versions(kit.workspace_id)[0].metrics["imported"] == 40


def test_the_word_of_a_person_on_a_message_beats_an_imported_ticket(kit):
    bring_in(kit)
    kit.say("the app crashes when I open settings 0")
    [message] = kit.sql("select id from message")
    review.decide(actor(kit), message.id, "billing")
    learn(kit)

    kit.say("the app crashes when I open settings 0", chat=2)

    assert (last(kit).source, last(kit).category) == ("memory", "billing")


def test_an_import_is_learnt_once_and_a_removal_is_unlearnt(kit):
    made = bring_in(kit)
    learn(kit)
    learn(kit)
    versions_before = len(learning.versions(kit.workspace_id))

    examples.remove(actor(kit), made.id)
    learn(kit)
    kit.say("the app crashes when I open settings 0")

    assert versions_before == 1
    assert count(kit) == 0 and examples.standing(kit.workspace_id).learnt
    assert [step["source"] for step in last(kit).steps if step["answer"]] == []
    with pytest.raises(InvalidInput, match="already"):
        examples.remove(actor(kit), made.id)


def test_removing_one_import_leaves_the_other(kit):
    first = bring_in(kit)
    bring_in(kit, csv_of("Totally new words;Bugs;;"), name="second.csv")

    examples.remove(actor(kit), first.id)

    assert [row.text for row in kit.sql("select text from labelled_example")] == ["Totally new words"]
    assert [row.file_name for row in examples.standing(kit.workspace_id).imports] == ["second.csv"]


def test_going_back_to_a_version_from_before_an_import_holds(kit):
    bring_in(kit)
    learn(kit)
    bring_in(kit, csv_of("Totally new words;Bugs;;"))
    learn(kit)
    newest, older = learning.versions(kit.workspace_id)

    learning.roll_back(actor(kit), older.id)
    learn(kit)

    assert learning.now_answering(kit.workspace_id)[0].id == older.id
    assert newest.imports != older.imports


def test_tickets_of_an_archived_category_are_not_learnt(kit):
    bring_in(kit)
    kit.sql("delete from rule")
    taxonomy.delete(actor(kit), Category, "billing", live=True)

    learn(kit)

    assert learning.versions(kit.workspace_id)[0].metrics["imported"] == 60


def test_of_too_many_the_rare_category_is_kept_whole(kit):
    rows = [f"text {chr(0x4E00 + n)};{'Bugs' if n % 20 else 'Invoices'};;" for n in range(100)]
    bring_in(kit, csv_of(*rows))

    with in_workspace(kit.workspace_id) as session:
        chosen = examples.store.decisions(session, kit.workspace_id, 30)
        again = examples.store.decisions(session, kit.workspace_id, 30)

    assert sorted(one.category for one in chosen).count("billing") == 5 and len(chosen) == 30
    assert chosen == again


def test_a_lost_wake_up_is_made_up_for_by_the_clock(kit):
    def due() -> bool:
        with in_system() as session:
            return kit.workspace_id in learning_store.with_something_new(session)

    before = due()
    bring_in(kit)
    waiting = due()
    learn(kit)

    assert (before, waiting, due()) == (False, True, False)


def test_without_redis_the_import_stands(kit, monkeypatch):
    def away(*_arguments):
        raise enqueue.RedisError("away")

    monkeypatch.setattr(enqueue, "wake", away)

    assert bring_in(kit).rows == 120


def test_switched_off_the_tickets_are_kept_and_not_learnt(kit):
    learning.save_settings(actor(kit), LocalSettings(enabled=False))
    releases.publish(actor(kit))
    bring_in(kit)
    learn(kit)

    assert learning.versions(kit.workspace_id) == [] and count(kit) == 120
    assert not examples.standing(kit.workspace_id).enabled


def test_names_suggest_before_anything_was_learnt(kit):
    taxonomy.save_category(actor(kit), "billing", "Billing", "Invoices, payments and refunds", live=True)

    kit.say("when do I get my refund?")

    step = last(kit).steps[-1]
    assert (step["source"], step["answer"], last(kit).status) == ("names", "billing", "needs_review")
    [row] = review_queue.fetch(Actor(uuid4(), "mia@acme.test", Role.MANAGER, kit.workspace_id)).rows
    assert row.suggestion == "billing" and "refund" in str(row.steps)
    assert review_queue.likeliest(row)[0][0] == "billing"


def test_a_ticket_is_the_same_whatever_number_it_names():
    assert examples._hash("Where is order 123456?") == examples._hash("where is order 987654?")
