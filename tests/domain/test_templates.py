import pytest

from app.domain import templates
from app.domain.errors import InvalidInput


def test_known_placeholders_are_filled_in():
    values = {"category.name": "Bug", "message.title": "x"}

    assert templates.render("{category.name}: {message.title}", values) == "Bug: x"


def test_a_customers_text_that_looks_like_a_placeholder_stays_as_it_is():
    assert templates.render("{message.text}", {"message.text": "{priority}", "priority": "urgent"}) == "{priority}"


def test_nothing_but_the_listed_names_is_evaluated():
    with pytest.raises(InvalidInput, match="__class__") as refused:
        templates.check("{message.__class__}", "fields.summary")

    assert refused.value.field == "fields.summary"
