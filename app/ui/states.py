"""What a screen shows instead of its content: nothing there yet, something failed, still loading.

Each says what to do next. Texts given here are ours; customers' words never are.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import streamlit as st

from app.domain.errors import Forbidden, InvalidInput, OctopusError
from app.logs import log
from app.ui import text
from app.ui.i18n import _

_NOT_A_KEY = re.compile(r"[^a-z0-9-]+")


@contextmanager
def empty(title: str, explanation: str, icon: str = "inbox", key: str = "empty") -> Iterator[None]:
    """The block for an empty list; draw the button of the next step inside `with`."""
    with st.container(key=f"state-{key}", horizontal_alignment="center", gap="small"):
        st.markdown(f":material/{icon}:", width="content")
        st.markdown(f"#### {title}", width="content", text_alignment="center")
        st.markdown(explanation, width=460, text_alignment="center")
        yield


def failed(title: str, explanation: str, key: str = "failed") -> None:
    """explanation: may hold a vendor's words; it is shown as plain text."""
    with st.container(key=f"failed-{_NOT_A_KEY.sub('-', key.lower())}", gap="xsmall"):
        st.markdown(f":material/error: **{title}**")
        text.plain(explanation)


@contextmanager
def loading(words: str) -> Iterator[None]:
    with st.spinner(words, show_time=False):
        yield


@contextmanager
def boundary(key: str = "page") -> Iterator[None]:
    """Turns an error into a message a person can act on. Pages run inside one; wrap fragments and callbacks as well."""
    try:
        yield
    except Forbidden as error:
        failed(_("You may not do this"), _(str(error)), key)
    except InvalidInput as error:
        failed(_("That cannot be used as it is"), _(str(error)), key)
    except OctopusError as error:
        failed(_("This did not work"), _(str(error)), key)
    except Exception:  # noqa: BLE001  the last resort of a screen: logged with its cause, told with a number
        error_id = uuid4().hex[:8]
        log.exception("screen failed", error_id=error_id, place=key)
        failed(
            _("Something on this screen broke"),
            _("Reload the page to try again. If it keeps happening, give your operator this number, "
              "which finds the cause in the logs: {id}").format(id=error_id),
            key,
        )  # fmt: skip
