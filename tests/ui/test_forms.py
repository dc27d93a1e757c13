from typing import Literal

import pytest
from pydantic import Field, SecretStr
from streamlit.testing.v1 import AppTest

from app.ui import forms
from connectors import registry
from connectors.base import AdapterConfig


class Config(AdapterConfig):
    email: str = Field(title="E-mail", description="The one you sign in with")
    token: SecretStr = Field(title="Token", description="From the settings page")
    region: Literal["eu", "us"] = Field("eu", title="Region", description="Where your data lives")
    retries: int = Field(3, title="Retries", description="How often")
    verified: bool = Field(False, title="Verified", description="Whether")
    lists: list[str] = Field(default_factory=list, title="Lists", description="Names")


def form(current=None, error=None):
    import streamlit as st

    from app.domain.errors import InvalidInput
    from app.ui import forms
    from tests.ui.test_forms import Config

    drawn = forms.draw(Config, "f", current)
    st.session_state["values"] = drawn.values()
    st.session_state["complete"] = drawn.complete()
    if error:
        drawn.show(InvalidInput(f"{error}: is wrong", error))


def run(**kwargs):
    page = AppTest.from_function(form, kwargs=kwargs).run()
    assert not page.exception
    return page


def test_labels_and_help_come_from_the_config():
    page = run()

    assert page.text_input(key="f-email").label == "E-mail"
    assert page.text_input(key="f-email").help == "The one you sign in with"
    assert page.text_input(key="f-base_url").label == "Own address (optional)"


def test_what_is_typed_is_returned_and_what_is_empty_is_not():
    page = run()
    page.text_input(key="f-email").input(" a@b.test ")
    page.text_area(key="f-lists").input("one\n\n two ")
    page.selectbox(key="f-region").select("us")
    page.toggle(key="f-verified").set_value(True).run()

    assert page.session_state["values"] == {
        "email": "a@b.test", "region": "us", "retries": 3, "verified": True, "lists": ["one", "two"],
    }  # fmt: skip


def test_a_stored_secret_never_reaches_the_browser_and_may_stay_empty():
    page = run(current={"email": "a@b.test", "token": "enc:secret"})

    assert page.text_input(key="f-token").value == ""
    assert page.text_input(key="f-token").placeholder == "Stored. Leave empty to keep it"
    assert page.session_state["complete"]
    assert "token" not in page.session_state["values"]


def test_an_empty_required_field_says_so_beside_itself():
    page = run(current={"email": "a@b.test"})

    assert not page.session_state["complete"]
    assert [error.value for error in page.error] == ["Please fill this in."]


@pytest.mark.parametrize("field", ["email", "unknown"])
def test_an_error_is_a_sentence_without_the_fields_code_name(field):
    page = run(error=field)

    assert [line.value for line in page.text] == ["is wrong"]


@pytest.mark.parametrize(
    "module",
    [registry.channel(key) for key in registry.channel_keys()] + [registry.crm(key) for key in registry.crm_keys()],
    ids=lambda module: module.__name__,
)
def test_the_form_of_every_adapter_can_be_drawn(module):
    def draw(name):
        from importlib import import_module

        from app.ui import forms

        forms.draw(import_module(name).Config, "f")

    page = AppTest.from_function(draw, args=(module.__name__,)).run()

    assert not page.exception
    assert page.text_input


def test_a_type_without_a_widget_is_an_error_not_a_missing_field():
    with pytest.raises(TypeError, match="tags"):
        forms._widget("tags", dict, "Tags", None, False, {})
