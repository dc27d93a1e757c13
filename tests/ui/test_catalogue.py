import re

import pytest
from babel.messages import pofile

from app.ui import catalogue, i18n
from connectors import registry

TRANSLATED = sorted(set(i18n.LANGUAGES) - {"en"})


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_of_the_screens_and_adapters_is_translated(language):
    missing = catalogue.untranslated(language)

    assert not missing, "run `python -m app.ui.catalogue` and translate what is empty"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_the_places_of_its_values(language):
    with i18n.catalogue_path(language).open("rb") as file:
        messages = [message for message in pofile.read_po(file, locale=language) if message.id]

    wrong = [message.id for message in messages if _places(message.string) != _places(message.id)]
    assert not wrong


def test_texts_are_found_in_code_and_in_adapters():
    found = catalogue.texts()

    assert "app/ui/sign_in_page.py" in found["Sign in"]
    assert any("connectors/" in place for places in found.values() for place in places)


@pytest.mark.parametrize("key", registry.channel_keys())
def test_each_fields_title_is_written_down(key):
    assert all(field.title and field.description for field in registry.channel(key).Config.model_fields.values())


def _places(text) -> set[str]:
    texts = text if isinstance(text, tuple) else (text,)
    return {name for each in texts for name in re.findall(r"\{(\w*)\}", each)}
