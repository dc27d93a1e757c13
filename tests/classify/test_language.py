import pytest

from app.classify.language import detect
from tests.classify.sentences import SENTENCES, UNSURE

CASES = [(language, text) for language, texts in SENTENCES.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), CASES)
def test_no_language_is_taken_for_another(language, text):
    assert detect(text) in (language, None)


@pytest.mark.parametrize("language", SENTENCES)
def test_most_messages_of_each_language_are_recognised(language):
    texts = SENTENCES[language]

    assert sum(detect(text) == language for text in texts) >= 0.85 * len(texts)


@pytest.mark.parametrize("text", UNSURE)
def test_what_is_too_short_or_no_language_stays_open(text):
    assert detect(text) is None


def test_danish_and_norwegian_are_not_taken_for_swedish():
    assert detect("Hej, min pakke er ikke kommet endnu, hvad skal jeg gøre") != "sv"
    assert detect("Hei, pakken min er ikke kommet ennå, hva skal jeg gjøre") != "sv"


def test_persian_and_urdu_are_not_taken_for_arabic_nor_serbian_for_russian():
    assert detect("بسته من هنوز نرسیده، چه کار کنم؟ گم شده") == "fa"
    assert detect("میرا پارسل ابھی تک نہیں آیا ہے") == "ur"
    assert detect("Мој пакет још није стигао, где је") is None


def test_a_very_long_message_costs_no_more_than_its_beginning():
    assert detect("My parcel is not here and I want it " * 50_000) == "en"
