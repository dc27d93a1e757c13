import numpy as np
import pytest

from app.classify import memory
from app.classify.features import Vectoriser
from app.classify.memory import Correction, Memory
from tests.classify.sorting_texts import messages


def remembered(*pairs, keys="k"):
    return Memory(Vectoriser(), [Correction(f"{keys}{i}", text, category) for i, (text, category) in enumerate(pairs)])


@pytest.fixture(params=["loaded", "added"])
def holding(request):
    """Corrections that were there at the start, or came one by one: both must be found the same."""

    def build(*pairs):
        if request.param == "loaded":
            return remembered(*pairs)
        known = remembered()
        for i, (text, category) in enumerate(pairs):
            known.add(Correction(f"k{i}", text, category))
        return known

    return build


def test_the_same_message_gets_the_same_answer(holding):
    known = holding(("Where is my refund?", "refund"), ("The app crashes", "bug"))

    found = known.duplicate("where is  MY refund?")

    assert (found.correction.category, found.similarity) == ("refund", 1.0)


def test_only_the_order_number_differs(holding):
    known = holding(("Where is order 4455-8877 please", "delivery"))

    assert known.duplicate("Where is order 1234567 please").correction.category == "delivery"


def test_nearly_the_same_message_counts_as_a_duplicate(holding):
    text = "Since the last update the export of my quarterly report to a spreadsheet stops at half and shows no error"
    known = holding((text, "bug"), ("something else entirely", "other"))

    found = known.duplicate(text + "!")

    assert found.correction.category == "bug" and memory.DUPLICATE <= found.similarity < 1


def test_a_message_that_only_resembles_is_no_duplicate(holding):
    known = holding(("Where is my refund?", "refund"))

    assert known.duplicate("Where is my parcel?") is None
    assert known.duplicate("") is None


def test_of_two_persons_who_disagree_the_newer_one_counts(holding):
    known = holding(("Where is it?", "refund"), ("where is it?", "delivery"))

    assert known.duplicate("Where is it?").correction.category == "delivery"


def test_nearest_come_in_order_and_without_what_has_nothing_in_common(holding):
    known = holding(("refund for shoes", "refund"), ("refund for the blue shoes", "refund"), ("退款", "refund"))

    found = known.nearest("refund for blue shoes", 5)

    assert [n.correction.key for n in found] == ["k1", "k0"]
    assert found[0].similarity > found[1].similarity > 0


def test_an_empty_memory_knows_nothing():
    assert remembered().nearest("hello", 3) == [] and remembered().duplicate("hello") is None


def test_an_undone_correction_is_forgotten_at_once(holding):
    known = holding(("Where is my refund?", "refund"), ("Where is my refund", "refund"))

    known.remove("k0")
    known.remove("k0")

    assert [n.correction.key for n in known.nearest("Where is my refund?", 5)] == ["k1"] and len(known) == 1


def test_a_changed_mind_replaces_the_old_answer(holding):
    known = holding(("Where is my refund?", "refund"))

    known.add(Correction("k0", "Where is my refund?", "billing"))

    assert known.duplicate("Where is my refund?").correction.category == "billing"
    assert [n.correction.category for n in known.nearest("Where is my refund?", 5)] == ["billing"]


def test_a_renamed_category_is_renamed_in_memory(holding):
    known = holding(("Where is my refund?", "refund"), ("The app crashes", "bug"))

    known.rename("refund", "money back")

    assert known.duplicate("Where is my refund?").correction.category == "money back"
    assert known.nearest("my refund", 1)[0].correction.category == "money back"
    assert known.duplicate("The app crashes").correction.category == "bug"


def test_the_nearest_of_many_is_the_nearest_by_comparing_all(monkeypatch):
    pairs = messages(400)
    vectoriser, rows = Vectoriser.fitted_rows([text for text, _ in pairs])
    known = Memory(vectoriser)
    monkeypatch.setattr(memory, "MOST_UNSORTED", 50)  # so that corrections are sorted in on the way
    for i, (text, category) in enumerate(pairs):
        known.add(Correction(str(i), text, category))

    for text, _ in messages(20, seed=5):
        buckets, values = vectoriser.vector(text)
        question = np.zeros(memory.BUCKETS)
        question[buckets] = values
        all_of_them = [
            float(v @ question[b] / np.sqrt((v @ v) * (values @ values))) for b, v in map(rows.row, range(len(rows)))
        ]
        assert known.nearest(text, 1)[0].similarity == pytest.approx(max(all_of_them), abs=1e-4)
