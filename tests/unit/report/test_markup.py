"""What is recorded never becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.report.markup import element, text


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_data(self, data: str) -> None:
        self.data += data


def read(markup: str) -> _Reader:
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.text(), st.text())
def test_text_and_attributes_come_out_as_text_and_attributes(phrase: str, titled: str) -> None:
    found = read(element("p", phrase, title=titled))
    assert found.tags == ["p"]
    assert [name for name, _ in found.attributes] == ["title"]


def test_elements_are_nested_and_strings_are_escaped() -> None:
    inner = element("b", "<script>alert(1)</script>")
    assert element("p", "a & b ", inner) == "<p>a &amp; b <b>&lt;script&gt;alert(1)&lt;/script&gt;</b></p>"


def test_an_attribute_cannot_be_left() -> None:
    assert element("p", title='"><script>') == '<p title="&quot;&gt;&lt;script&gt;"></p>'


def test_absent_attributes_are_left_out_and_names_are_those_of_html() -> None:
    made = element("rect", class_="om-bar", aria_label=None, hidden=False, open=True, x=1.0, y=2.25)
    assert made == '<rect class="om-bar" open x="1" y="2.2"/>'


def test_what_would_turn_the_text_around_it_is_replaced() -> None:
    assert text("a\u202eb\x00c\ud800") == "a\ufffdb\ufffdc\ufffd"
