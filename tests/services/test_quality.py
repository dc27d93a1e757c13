"""The Learning page's figures come from what the machine thought first and what people then decided."""

from app.classify import quality as measures
from app.db.engine import in_system
from app.db.tables import Workspace
from app.services import learning, quality, review
from app.services.learning import LocalSettings
from tests.services.test_learning import actor, learnt  # noqa: F401  a workspace that learnt


def test_what_people_decided_is_compared_with_the_first_guess(learnt):  # noqa: F811
    found = quality.report(learnt.workspace_id)

    assert len(found.judged) == 170
    assert [one.corrections for one in found.judged] == list(range(170))
    assert {key for pair in found.confusion for key in pair} <= {None, "bug", "billing"}
    assert [one.key for one in found.categories] == ["bug", "billing"]


def test_a_mistake_opens_the_message_and_a_taken_back_decision_does_not_count(kit):
    kit.say("a puzzling thing")
    kit.say("another puzzling thing", chat=2)
    first, second = kit.sql("select id from message order by id")
    review.decide(actor(kit), first.id, "bug")
    review.decide(actor(kit), second.id, "bug")
    review.take_back(actor(kit), second.id)

    found = quality.report(kit.workspace_id)

    assert [one.message_id for one in found.judged] == [first.id]
    [wrong] = quality.mistakes(kit.workspace_id, found.judged, "bug")
    assert (wrong.text, wrong.machine, wrong.decided) == ("a puzzling thing", None, "bug")


def test_who_corrects_an_answer_unasked_does_not_darken_the_figures(kit):
    kit.say("it broke #bug")
    [message] = kit.sql("select id from message")
    review.decide(actor(kit), message.id, "billing")

    assert quality.report(kit.workspace_id).judged == []


def test_the_golden_set_examines_a_model_and_never_trains_it(learnt):  # noqa: F811
    settings = LocalSettings(target_accuracy=0.9, audit_share=0, golden_share=0.3)
    golden = [row.id for row in learnt.sql("select id from message") if measures.kept_for_examination(row.id, 0.3)]

    learning.refit(learnt.workspace_id, settings)

    metrics = learning.versions(learnt.workspace_id)[0].metrics
    assert metrics["by_persons"] == 170 - len(golden)
    assert metrics["golden"]["n"] == len(golden) > 20
    assert metrics["golden"]["share"] > 0.9


def test_a_golden_message_is_answered_again_word_for_word_though_no_model_learnt_it(kit):
    with in_system() as session:
        row = session.get(Workspace, kit.workspace_id)
        row.settings = {"classify": {"local": {"audit_share": 0.0, "golden_share": 0.5}}}
        row.config_version += 1
    for number in range(30):
        kit.say(f"thing {chr(0x4E00 + 97 * number)} is puzzling", chat=number)
        newest = kit.sql("select id, status from message order by id desc limit 1")[0]
        if newest.status == "needs_review":
            review.decide(actor(kit), newest.id, "bug")
    kit.say("thing 一 is puzzling", chat=99)

    learned = learning.learner(kit.workspace_id).learned
    decided = kit.sql("select message_id from classification where source = 'person'")
    trained = [one for one in decided if not measures.kept_for_examination(one.message_id, 0.5)]
    assert sum(learned.model.counts.values()) == len(trained) < len(decided)
    assert len(learned.memory) == len(decided)
