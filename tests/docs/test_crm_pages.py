"""The pages about CRMs say what the connectors declare."""

import pytest

from connectors import registry
from docs import crm_pages


@pytest.mark.parametrize("name", sorted(crm_pages.pages()))
def test_a_page_is_what_its_connector_declares(name):
    file = crm_pages.HERE / name

    assert file.exists() and file.read_text("utf-8") == crm_pages.pages()[name], "run python -m docs.crm_pages"


def test_no_page_is_left_of_a_connector_that_is_gone():
    assert {file.name for file in crm_pages.HERE.glob("*.md")} == set(crm_pages.pages())


def test_every_connector_has_notes_that_name_each_scope_it_asks_for():
    notes = {file.stem: file.read_text("utf-8") for file in (crm_pages.HERE / "notes").glob("*.md")}

    assert set(notes) == set(registry.crm_keys())
    for key, written in notes.items():
        consent = registry.crm(key).Connector.CONSENT
        asked = [scope for part in (consent.scopes if consent else ()) for scope in part.split(",")]
        missing = [scope for scope in asked if not names(scope, written)]
        assert not missing, f"{key}: {missing}"


def names(scope: str, written: str) -> bool:
    """As it is asked for, without the address before it, or with read and write in one."""
    bare = scope.rpartition("/")[2]
    together = bare.removesuffix(".read").removesuffix(".write")
    return any(f"`{form}`" in written for form in (bare, together)) or bare == "oauth"
