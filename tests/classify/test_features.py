import numpy as np
import pytest

from app.classify import features
from app.classify.features import BLOCK, BUCKETS, Vectoriser, counts, normalise, parts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is  my\nORDER", "where is my order"),
        ("ｏｒｄｅｒ №１", "order no1"),
        ("order 123-4567-89 late", "order 998877 late"),
        ("write to a.b@c.example now", "write to zoe@shop.example now"),
        ("see https://a.example/x?y=1 please", "see www.b.example please"),
    ],
)
def test_what_means_the_same_is_spelt_the_same(one, other):
    assert normalise(one) == normalise(other)


def test_small_numbers_keep_their_meaning():
    assert normalise("error 404") != normalise("error 500")[:5] + " 1"
    assert normalise("2 items") == "2 items"


def test_a_long_message_keeps_its_head_and_its_tail():
    text = "first " + "x " * 5000 + "last"

    short = normalise(text)

    assert short.startswith("first") and short.endswith("last")
    assert len(short) <= features.HEAD_CHARS + features.TAIL_CHARS + 1


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_to_read_is_an_empty_vector(text):
    buckets, values = Vectoriser().vector(text)

    assert len(buckets) == len(values) == 0


@pytest.mark.parametrize(
    "text", ["my card is lost", "我的卡丢了", "カードをなくした", "كارتي ضاعت", "😀", "\ud800 broken", "ไม่ได้รับ"]
)
def test_every_script_gives_ascending_buckets_and_blocks_of_length_one(text):
    buckets, values = Vectoriser().vector(text)

    assert len(buckets) and (np.diff(buckets) > 0).all()
    assert buckets[0] >= 0 and buckets[-1] < BUCKETS
    for block in (values[buckets < BLOCK], values[buckets >= BLOCK]):
        assert len(block) == 0 or block @ block == pytest.approx(1.0, abs=1e-5)


def test_han_runs_share_pieces_of_up_to_three_characters_without_spaces():
    one, other = set(counts("我要退款")[0].tolist()), set(counts("请给我退款")[0].tolist())

    pieces = {BLOCK + features.bucket(piece) for piece in ("退款", "退", "款", "我")}

    assert pieces <= one & other


def test_inflected_words_still_resemble_each_other():
    vectoriser = Vectoriser()

    def likeness(one, other):
        (a, x), (b, y) = vectoriser.vector(one), vectoriser.vector(other)
        shared, at, of = np.intersect1d(a, b, return_indices=True)
        return float(x[at] @ y[of])

    assert likeness("Rechnung bezahlt", "Rechnungen bezahlen") > 2 * likeness("Rechnung bezahlt", "Passwort vergessen")


def test_one_path_for_training_and_answering():
    texts = ["my card is lost", "the app crashes at login", "退款什么时候到"]

    vectoriser, rows = Vectoriser.fitted_rows(texts)

    for i, text in enumerate(texts):
        for fitted, answered in zip(rows.row(i), vectoriser.vector(text), strict=True):
            assert np.array_equal(fitted, answered)


def test_a_rare_word_is_worth_more_than_a_common_one():
    vectoriser, _ = Vectoriser.fitted_rows(["the card"] * 9 + ["the refund"], ["the rest"] * 10)

    assert vectoriser.idf[features.bucket("refund")] > vectoriser.idf[features.bucket("card")]
    assert vectoriser.idf[features.bucket("never seen")] > vectoriser.idf[features.bucket("refund")]


@pytest.mark.parametrize("text", ["my card, my card!", "我的card丢了 help", "a" * 200])
def test_the_parts_of_a_text_hold_each_of_its_buckets_as_often_as_the_text(text):
    buckets, times = counts(normalise(text))

    of_parts = np.concatenate([its for _, its in parts(normalise(text))])

    found, found_times = np.unique(of_parts, return_counts=True)
    assert np.array_equal(found, buckets) and np.array_equal(found_times, times)
