from streamlit.testing.v1 import AppTest


def listing():
    from dataclasses import dataclass

    import streamlit as st

    from app.ui import tables

    @dataclass
    class Page:
        lines: list
        older: int | None
        newer: int | None

    def fetch(before, after):
        start = after - 3 if after else (before or 0)
        return Page(list(range(start, start + 3)), start + 3 if start < 6 else None, start if start else None)

    page = tables.paged(fetch, "list", st.session_state.get("filter"))
    st.session_state["picked"] = tables.rows(page.lines, [tables.Column("Number", str)], "list")
    st.session_state["lines"] = page.lines
    tables.pager(page, "list")


def test_older_and_newer_walk_through_the_pages_and_stop_at_the_ends():
    page = AppTest.from_function(listing).run()
    assert page.session_state["lines"] == [0, 1, 2]
    assert page.button(key="list-newer").disabled

    page.button(key="list-older").click().run()
    page.button(key="list-older").click().run()
    assert page.session_state["lines"] == [6, 7, 8]
    assert page.button(key="list-older").disabled

    page.button(key="list-newer").click().run()
    assert page.session_state["lines"] == [3, 4, 5]
    assert not page.exception


def test_another_filter_starts_at_the_newest_page():
    page = AppTest.from_function(listing).run()
    page.button(key="list-older").click().run()

    page.session_state["filter"] = "other"
    page.run()

    assert page.session_state["lines"] == [0, 1, 2]


def test_the_row_of_the_clicked_cell_is_returned():
    page = AppTest.from_function(listing)
    page.session_state["list"] = {"selection": {"rows": [], "columns": [], "cells": [[1, "Number"]]}}
    page.run()

    assert page.session_state["picked"] == 1


def test_nothing_clicked_returns_nothing():
    assert AppTest.from_function(listing).run().session_state["picked"] is None
