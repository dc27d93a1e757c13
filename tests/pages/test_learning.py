"""The Learning page: what was learnt, whether it holds, and the dial."""

from app.db.tables.people import Role
from app.services import learning, review, taxonomy, topics
from app.services.members import Actor
from tests.pages.test_shell import words
from tests.services.test_learning import learnt  # noqa: F401  a workspace that learnt
from tests.services.test_topics import talk_of_something_new


def test_before_anything_was_decided_it_says_what_starts_it(visit, person):
    page = visit(person(), "learning")

    assert not page.exception
    assert "as soon as it has seen 20 decisions" in page.info[0].value


def test_it_shows_what_was_learnt_and_that_the_model_answers_alone(visit, person, learnt):  # noqa: F811
    learnt.say("the app crashes when I open videos", chat=5)

    page = visit(person(), "learning")

    assert not page.exception
    assert "answers alone where it is proven to be 90.0% right" in page.success[0].value
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["Decisions learnt from"] == "170"
    assert shown["Decided by what was learnt"] == "1%"  # 1 of 171
    assert "170 decisions of persons" in words(page)


def test_a_manager_turns_the_dial(visit, person, kit):
    page = visit(person(Role.MANAGER), "learning")
    page.slider(key="learning-target").set_value(98.0).run()
    page.toggle(key="learning-from-llm").set_value(False).run()
    page.button(key="learning-save").click().run()

    assert not page.exception
    saved = learning.settings(kit.workspace_id)
    assert (saved.target_accuracy, saved.learn_from_llm) == (0.98, False)
    assert "Saved" in page.success[0].value


def test_a_viewer_sees_it_and_changes_nothing(visit, person, kit):
    page = visit(person(Role.VIEWER), "learning")

    assert page.slider(key="learning-target").disabled
    assert page.button(key="learning-save").disabled


def test_a_manager_goes_back_to_an_earlier_version(visit, person, learnt):  # noqa: F811
    first = learning.versions(learnt.workspace_id)[0].id
    learnt.refit()
    page = visit(person(Role.MANAGER), "learning")

    page.button(key=f"back-{first}").click().run()

    assert not page.exception
    assert learning.now_answering(learnt.workspace_id)[0].id == first


def test_a_person_decides_and_the_count_rises(visit, person, kit):
    kit.say("hello there")
    [message] = kit.sql("select id from message")
    review.decide(Actor(None, "mia@acme.test", Role.AGENT, kit.workspace_id), message.id, "bug")

    page = visit(person(), "learning")

    assert {metric.label: metric.value for metric in page.metric}["Decisions learnt from"] == "1"


def test_each_category_shows_how_right_the_machine_was_and_opens_what_went_wrong(visit, person, learnt):  # noqa: F811
    page = visit(person(), "learning")

    rows = page.dataframe[0].value
    assert list(rows["Category"]) == ["Bug", "Billing"] and rows["Messages"].sum() == 170
    page.selectbox(key="quality-mistakes").select("billing").run()

    assert not page.exception
    links = [link.proto for link in page.get("page_link") if "→" in link.proto.label]
    assert links and all("Billing" in link.label and "message=" in link.query_string for link in links)


def test_a_new_topic_becomes_a_category_of_the_draft_or_is_dismissed_and_brought_back(visit, person, learnt):  # noqa: F811
    talk_of_something_new(learnt)
    topics.watch(learnt.workspace_id)
    [found] = topics.alarms(learnt.workspace_id)
    page = visit(person(Role.MANAGER), "learning")
    assert "6 recent messages speak of something no category stands for" in words(page)

    page.text_input(key=f"topic-name-{found.id}").set_value("Access").run()
    page.button(key=f"topic-add-{found.id}").click().run()

    [made] = [row for row in taxonomy.categories(learnt.workspace_id) if row.name == "Access"]
    assert "wheelchair" in made.description and "waits in the draft" in page.success[0].value
    page.button(key=f"topic-no-{found.id}").click().run()
    assert "wheelchair" not in words(page)
    page.button(key="undo-button").click().run()
    assert "wheelchair" in words(page)


def test_a_manager_keeps_messages_for_examination(visit, person, kit):
    page = visit(person(Role.MANAGER), "learning")
    page.slider(key="learning-golden").set_value(20.0).run()
    page.button(key="learning-save").click().run()

    assert learning.settings(kit.workspace_id).golden_share == 0.2


def test_a_dial_a_file_set_beyond_its_usual_range_is_shown_as_it_is(visit, person, kit):
    kit.sql("""update workspace set settings = jsonb_set(settings, '{classify,local}',
               '{"target_accuracy": 0.7, "audit_share": 0.5, "double_share": 0.4}')""")

    page = visit(person(Role.MANAGER), "learning")

    assert not page.exception
    assert [page.slider(key=f"learning-{name}").value for name in ("target", "audit", "twice")] == [70.0, 50.0, 40.0]
