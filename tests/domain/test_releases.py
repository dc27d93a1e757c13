"""How two states of what decides differ, and how a draft and what went live meanwhile become one."""

import pytest

from app.domain.releases import Change, ChangeKind, content_of, diff, merge, parts_of, reverted

ADDED, CHANGED, REMOVED, ORDERED = ChangeKind


def content(*rules: str, bar: float = 0.6, **categories: str) -> dict:
    """Rules by key, in order; categories by key and name."""
    return {
        "categories": [{"key": key, "name": name} for key, name in categories.items()],
        "rules": [{"key": key, "enabled": True} for key in rules],
        "routes": [],
        "classify": {"bar": bar, "local": {"enabled": True}},
    }


def kinds(before: dict, after: dict) -> list[tuple]:
    return [(change.noun, change.key, change.kind) for change in diff(before, after)]


def order_of(merged) -> list[str]:
    return [rule["key"] for rule in merged.content["rules"]]


def test_nothing_differs_from_itself():
    assert diff(content("a", bug="Bug"), content("a", bug="Bug")) == []


def test_each_entity_that_differs_is_one_change_with_its_fields():
    before, after = content("gone", bug="Bug"), content("new", bug="Bugs", bar=0.8)

    assert diff(before, after) == [
        Change("category", "bug", CHANGED, (("name", "Bug", "Bugs"),)),
        Change("rule", "gone", REMOVED, (("enabled", True, None),)),
        Change("rule", "new", ADDED, (("enabled", None, True),)),
        Change("setting", "bar", CHANGED, (("value", 0.6, 0.8),)),
    ]


def test_a_field_that_becomes_empty_is_a_change():
    assert diff(content(bug="Bug"), content(bug=""))[0].fields == (("name", "Bug", ""),)


@pytest.mark.parametrize(
    ("before", "after", "reordered"),
    [
        ("ab", "ba", True), ("ab", "abc", False), ("ab", "acb", True), ("abc", "ac", False), ("", "ab", False),
        ("abc", "cax", True),
    ],
)  # fmt: skip
def test_the_order_counts_only_where_more_moved_than_what_came_and_went(before, after, reordered):
    assert (("rule", "", ORDERED) in kinds(content(*before), content(*after))) is reordered


def test_a_change_is_the_same_after_it_was_stored():
    for change in diff(content("a", "b", bug="Bug"), content("b", "a", "c", bug="Bugs", bar=0.7)):
        stored = change.as_json()
        assert Change.from_json(stored | {"fields": [list(field) for field in stored["fields"]]}) == change


def test_settings_come_back_as_deep_as_they_were():
    whole = content("a", bug="Bug")

    assert content_of(parts_of(whole)) == whole


def test_what_either_side_changed_is_kept():
    base = content("a", bug="Bug", wish="Wish")
    draft = content("a", "mine", bug="Bugs", wish="Wish")
    live = content("a", "theirs", bug="Bug", bar=0.9)

    merged = merge(base, draft, live)

    assert merged.conflicts == []
    assert merged.content == content("a", "theirs", "mine", bug="Bugs", bar=0.9)
    assert kinds(merged.base, merged.content) == kinds(base, draft)


def test_what_the_draft_removed_is_gone_and_what_went_live_is_not():
    merged = merge(content("a", "b"), content("b"), content("a", "b", "c"))

    assert order_of(merged) == ["b", "c"]


@pytest.mark.parametrize(
    ("base", "draft", "live"),
    [
        (content(bug="Bug"), content(bug="Mine"), content(bug="Theirs")),
        (content(bug="Bug"), content(), content(bug="Theirs")),
        (content(bug="Bug"), content(bug="Mine"), content()),
        (content(), content(bug="Mine"), content(bug="Theirs")),
    ],
)
def test_the_same_entity_changed_on_both_sides_is_a_conflict_that_lasts_until_it_is_the_same(base, draft, live):
    merged = merge(base, draft, live)

    assert merged.conflicts == [("category", "bug")]
    assert merged.content == draft
    assert merge(merged.base, merged.content, live).conflicts == [("category", "bug")]
    assert merge(merged.base, live, live).conflicts == []


def test_the_same_change_on_both_sides_is_no_conflict():
    assert merge(content(bug="Bug"), content(bug="Bugs"), content(bug="Bugs")).conflicts == []


@pytest.mark.parametrize(
    ("base", "draft", "live", "becomes"),
    [
        ("abc", "cab", "abcx", "cabx"),  # moved in the draft, appended live
        ("abc", "abcx", "cab", "cabx"),  # the other way round
        ("abc", "xabc", "abc", "xabc"),  # a new one at the top
        ("abc", "abc", "axbc", "axbc"),  # a new one in between, live
        ("abc", "ac", "bca", "ca"),  # removed here, moved there
    ],
)
def test_an_order_changed_on_one_side_is_taken(base, draft, live, becomes):
    merged = merge(content(*base), content(*draft), content(*live))

    assert (order_of(merged), merged.conflicts) == (list(becomes), [])


def test_an_order_changed_differently_on_both_sides_is_a_conflict():
    merged = merge(content(*"abc"), content(*"bac"), content(*"cab"))

    assert merged.conflicts == [("rule", "")]
    assert merge(merged.base, merged.content, content(*"cab")).conflicts == [("rule", "")]


@pytest.mark.parametrize(
    ("draft", "live", "noun", "key", "becomes"),
    [
        (content("a", bug="Mine"), content("a", bug="Bug"), "category", "bug", content("a", bug="Bug")),
        (content("new", "a"), content("a"), "rule", "new", content("a")),
        (content("a"), content("a", "gone", "z"), "rule", "gone", content("a", "gone")),
        (content("b", "a", "new"), content("a", "b"), "rule", "", content("a", "b", "new")),
        (content("b"), content("a", "b"), "rule", "", content("b")),
        (content(bar=0.9), content(bar=0.6), "setting", "bar", content(bar=0.6)),
    ],
)
def test_one_change_of_the_draft_can_be_taken_back(draft, live, noun, key, becomes):
    assert reverted(draft, live, noun, key) == becomes
