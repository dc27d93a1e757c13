"""The pages about CRMs say what the connectors declare."""

import pytest

from docs import crm_pages


@pytest.mark.parametrize("name", sorted(crm_pages.pages()))
def test_a_page_is_what_its_connector_declares(name):
    file = crm_pages.HERE / name

    assert file.exists() and file.read_text("utf-8") == crm_pages.pages()[name], "run python -m docs.crm_pages"


def test_no_page_is_left_of_a_connector_that_is_gone():
    assert {file.name for file in crm_pages.HERE.glob("*.md")} == set(crm_pages.pages())
