"""What the demo's customers write."""

from collections import Counter

import yaml

from app.cli.demo import FOLDER
from demo import messages as made
from demo.messages import CUSTOMERS, messages, texts
from demo.model import NONE_OF_THESE, verdict

WORKSPACE = yaml.safe_load((FOLDER / "workspace.yaml").read_text())
KEYS = [category["key"] for category in WORKSPACE["categories"]]


def test_there_are_500_different_messages_in_two_languages_about_every_category():
    found = messages()

    assert len(found) == len({message.text for message in found}) == 500
    assert [message.number for message in found] == list(range(500))
    spoken, about = (Counter(getattr(message, name) for message in found) for name in ("language", "category"))
    assert spoken.keys() == {"en", "zh"} and min(spoken.values()) >= 125
    assert about.keys() == set(KEYS) == set(texts()["categories"]) and min(about.values()) >= 10
    assert not any("{" in message.text for message in found)


def test_they_are_the_same_at_every_start():
    again = tuple(made._made(made.random.Random(made.SEED), texts()))

    assert again == messages()


def test_a_customer_keeps_name_and_language():
    known = {}
    for message in messages():
        assert known.setdefault(message.customer, (message.name, message.language)) == (message.name, message.language)
    assert 100 < len(known) <= CUSTOMERS


def test_the_simulated_model_is_right_about_85_of_100_and_unsure_of_some():
    said = [(message, verdict(message.text, [*KEYS, NONE_OF_THESE])) for message in messages()]

    right = sum(one["category"] == message.category for message, one in said) / len(said)
    unsure = sum(one["confidence"] < 0.6 for _message, one in said) / len(said)
    assert 0.83 <= right <= 0.88
    assert 0.08 <= unsure <= 0.2
    assert verdict(messages()[0].text, [*KEYS, NONE_OF_THESE]) == said[0][1]


def test_the_simulated_model_is_unsure_of_what_it_never_read():
    of_a_visitor = verdict("my lamp stopped working after the firmware update, help", [*KEYS, NONE_OF_THESE])
    of_nothing = verdict("xyzzy", [*KEYS, NONE_OF_THESE])

    assert of_a_visitor["category"] == "bug" and of_a_visitor["confidence"] < 0.6
    assert of_nothing["category"] == NONE_OF_THESE


def test_the_simulated_model_names_only_what_it_is_offered():
    offered = ["delivery", "bug", NONE_OF_THESE]

    assert {verdict(message.text, offered)["category"] for message in messages()} == set(offered)
