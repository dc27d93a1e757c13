from hypothesis import given
from hypothesis import strategies as st

from app.domain import search


def test_words_are_folded_and_kept_once():
    assert search.terms("Refund my REFUND, Straße!") == ["refund", "my", "strasse"]


def test_chinese_is_found_by_any_pair_of_characters():
    assert search.terms("申请退款") == ["申请", "请退", "退款"]


def test_mixed_scripts_are_split_where_the_script_changes():
    assert search.terms("iPad上的密码") == ["ipad", "上的", "的密", "密码"]


def test_the_last_word_of_a_query_may_be_unfinished():
    assert search.query("my pass") == "'my' & 'pass':*"


def test_a_query_without_words_asks_for_nothing():
    assert search.query(" -- '' ") == ""


@given(st.text(max_size=500))
def test_no_text_can_break_out_of_the_vector(text):
    assert all(term and "'" not in term and "\\" not in term for term in search.terms(text))
