from app.ui import text


def test_markdown_in_a_customers_words_stays_text():
    escaped = text.escape("**bold** [link](x) `code` <b> :red[r] $x$")

    assert escaped.startswith(r"\*\*bold\*\* \[link\]\(x\) \`code\` \<b\> \:")


def test_what_becomes_a_link_only_after_parsing_is_cut_by_an_invisible_character():
    for words in ("https://evil.example", "a@evil.example", "www.evil.example", ":smile:"):
        assert "\u2060" in text.escape(words)


def test_escaped_words_are_one_line():
    assert "\n" not in text.escape("one\n\n# two")


def test_long_words_are_cut_with_an_ellipsis():
    assert text.shorten("a b\nc", 5) == "a b c"
    assert text.shorten("abcdefgh", 5) == "abcd…"


def test_addresses_in_our_own_texts_can_be_clicked_and_nothing_else_becomes_markup():
    linked = text.linked("Open https://a.test/x?b=1&c=2), then *this* and 'https://b.test/'.")

    assert "](<https://a.test/x?b=1&c=2>)" in linked
    assert r"\*this\*" in linked
    assert linked.count("](<https") == 2
