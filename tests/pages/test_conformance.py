"""The Conformance page: every connector with its checks; what was not checked says why."""

from app.db.tables.people import Role
from app.services import conformance
from tests.pages.test_shell import words


def test_a_viewer_reads_what_each_connector_was_seen_to_do(visit, person):
    page = visit(person(Role.VIEWER), "conformance")

    assert not page.exception
    labels = [expander.label for expander in page.expander]
    assert len(labels) == 16 and all("checks passed on" in label for label in labels)
    assert "Requests are as the vendor describes them" in words(page)
    assert "stand-ins" in words(page)


def test_a_connector_changed_since_or_never_checked_is_not_called_fine(visit, person, monkeypatch, tmp_path):
    changed = tmp_path / "none.json"
    changed.write_text("{}")
    monkeypatch.setattr(conformance, "RESULTS", changed)

    page = visit(person(Role.VIEWER), "conformance")

    assert all("never checked" in expander.label for expander in page.expander)
