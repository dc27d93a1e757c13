from streamlit.testing.v1 import AppTest


def page_of(script):
    page = AppTest.from_function(script).run()
    assert not page.exception
    return page


def shown(page):
    return "\n".join(element.value for element in (*page.markdown, *page.text))


def test_our_own_error_is_shown_with_its_text():
    def script():
        from app.domain.errors import InvalidInput
        from app.ui import states

        with states.boundary():
            raise InvalidInput("The name is taken. Choose another.", "name")

    assert "The name is taken. Choose another." in shown(page_of(script))


def test_an_unexpected_error_shows_a_number_and_the_log_has_it_with_the_cause(capsys):
    def script():
        from app.ui import states

        with states.boundary("inbox"):
            raise KeyError("secret-detail")

    page = page_of(script)

    words = shown(page)
    assert "secret-detail" not in words
    logged = capsys.readouterr()
    error_id = words.split()[-1]
    assert error_id in logged.out + logged.err
    assert "secret-detail" in logged.out + logged.err


def test_stop_and_rerun_pass_through():
    def script():
        import streamlit as st

        from app.ui import states

        with states.boundary():
            st.session_state["runs"] = st.session_state.get("runs", 0) + 1
            if st.session_state["runs"] == 1:
                st.rerun()
            st.stop()

    page = page_of(script)

    assert page.session_state["runs"] == 2
    assert shown(page) == ""


def test_an_empty_list_says_what_to_do_next():
    def script():
        import streamlit as st

        from app.ui import states

        with states.empty("No bot yet", "Connect one."):
            st.button("Add a bot")

    page = page_of(script)

    assert "No bot yet" in shown(page)
    assert page.button[0].label == "Add a bot"
