from streamlit.testing.v1 import AppTest


def inbox():
    import streamlit as st

    from app.ui import filters

    with filters.bar("inbox"):
        found = filters.search("q", "Search"), filters.several("status", "Status", ["new", "done"]), filters.period()
    st.session_state["found"] = found


def test_without_a_choice_nothing_is_narrowed_but_the_period():
    page = AppTest.from_function(inbox).run()

    assert page.session_state["found"] == ("", (), 7)


def test_the_address_fills_the_filters():
    page = AppTest.from_function(inbox)
    page.query_params["q"] = "refund"
    page.query_params["status"] = "done"
    page.query_params["days"] = "30"
    page.run()

    assert not page.exception
    assert page.session_state["found"] == ("refund", ("done",), 30)


def test_a_choice_goes_into_the_address():
    page = AppTest.from_function(inbox).run()
    page.multiselect(key="status").select("done").run()

    assert page.query_params["status"] == "done"


def test_an_address_with_an_unknown_choice_is_ignored():
    page = AppTest.from_function(inbox)
    page.query_params["status"] = "nonsense"
    page.query_params["days"] = "12345"
    page.run()

    assert not page.exception
    assert page.session_state["found"] == ("", (), 7)


def test_going_back_to_the_standard_leaves_the_address():
    page = AppTest.from_function(inbox)
    page.query_params["days"] = "30"
    page.run()
    page.selectbox(key="days").select("7").run()

    assert "days" not in page.query_params
