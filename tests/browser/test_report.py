"""The report and the blocks of a notebook, looked at in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

import otel_mas
from otel_mas.analyse.cost import cost
from otel_mas.api import Source
from otel_mas.causal import build
from otel_mas.model import Trace
from otel_mas.report.html.page import Material, page
from otel_mas.semconv import attributes as names
from tests.browser.devtools import Page
from tests.browser.picture import brightness, colours

Show = Callable[..., Page]

# Pairs of labels in the picture whose boxes overlap, as the browser has set them.
CLASHES = """(() => {
  const labels = [...document.querySelectorAll('.om-labels text, .om-axis text, .om-runs text, .om-legend text')];
  const boxes = labels.map(one => [one.textContent, one.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([label, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 4) found.push([label, other]);
  }));
  return found;
})()"""


@pytest.fixture
def source(store: Path) -> Iterator[Source]:
    with otel_mas.open(store) as found:
        yield found


@pytest.fixture
def document(source: Source, team: ModuleType) -> str:
    return source.conversation(team.THREAD).to_html()


def test_the_report_opens_from_a_file_and_asks_for_nothing_else(opened: Show, document: str) -> None:
    shown = opened(document)
    assert [address.rpartition("/")[2] for address in shown.requests()] == ["page0.html"]
    assert shown.complaints() == []


def test_whoever_was_not_there_can_read_what_happened(opened: Show, document: str, team: ModuleType) -> None:
    text = opened(document).run("document.body.innerText")
    for part in (
        "research_team",
        "at work, 59.00 s waiting for input",
        "simulated",
        "What caused what",
        "collect waited for summarise#3 (last of 3 branches, 600 ms after summarise#1)",
        "Tides?",
        "content not kept",
        "Publish this?",
        "no known price and no part in the sums (+)",
        "What ran inside what",
        team.FIRST,
    ):
        assert part in text


def test_no_two_labels_of_the_picture_touch(opened: Show, document: str) -> None:
    shown = opened(document)
    assert shown.run("document.querySelectorAll('.om-labels text').length") == 14
    assert shown.run(CLASHES) == []


@pytest.mark.parametrize("wide", [1600, 1200, 420])
def test_the_page_fits_whatever_is_wide_scrolls_by_itself(opened: Show, document: str, wide: int) -> None:
    assert opened(document, wide=wide).run("document.documentElement.scrollWidth") <= wide


def test_it_is_light_or_dark_as_the_reader_likes(opened: Show, document: str) -> None:
    light, dark = (colours(opened(document, scheme).screenshot()) for scheme in ("light", "dark"))
    assert brightness(light) > 220
    assert brightness(dark) < 60
    for counted in (light, dark):
        assert len(counted) > 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(opened: Show, document: str, scheme: str) -> None:
    """WCAG's AA: 4.5 to 1."""
    shown = opened(document, scheme)
    found = shown.run(
        """[...new Set([...document.querySelectorAll('body *')]
             .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
             .filter(one => !one.closest('style, title, desc'))
             .map(one => getComputedStyle(one)[one instanceof SVGElement ? 'fill' : 'color']))]"""
    )
    behind = (255, 255, 255) if scheme == "light" else (20, 23, 29)
    assert len(found) >= 4
    assert [colour for colour in found if _contrast(_channels(colour), behind) < 4.5] == []


def test_what_is_long_is_folded_and_the_keyboard_unfolds_it(opened: Show, document: str) -> None:
    shown = opened(document)
    assert shown.run("[...document.querySelectorAll('details')].every(one => !one.open)")
    shown.run("document.querySelector('summary').focus()")
    for kind in ("keyDown", "keyUp"):
        shown.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    assert shown.run("document.querySelector('details').open")


def test_a_screen_reader_is_told_what_the_picture_shows(opened: Show, document: str) -> None:
    tree = opened(document).call("Accessibility.getFullAXTree")["nodes"]
    pictures = [node["name"]["value"] for node in tree if node.get("role", {}).get("value") in ("image", "img")]
    assert any("collect waited for summarise#3" in picture for picture in pictures)


def test_it_prints(opened: Show, document: str) -> None:
    assert opened(document).pdf().startswith(b"%PDF-")


def test_nothing_that_was_recorded_runs_or_is_fetched(opened: Show, team: ModuleType) -> None:
    attack = '</title></style></svg><img src="http://evil.example/x.png" onerror="hacked=1"><script>hacked=1</script>'
    spans = [
        replace(
            span,
            name=attack,
            service=attack,
            columns={**span.columns, names.MAS_TASK_NAME: attack, names.ERROR_TYPE: attack},
        )
        for trace in team.research_traces()
        for span in trace.spans
    ]
    causal = build([Trace(team.FIRST, tuple(spans))])
    material = Material(causal, causal.critical_path(), cost(causal.spans), [attack])
    shown = opened(page(material, attack))
    assert shown.run("typeof hacked") == "undefined"
    assert len(shown.requests()) == 1
    assert shown.complaints() == []
    assert "hacked=1" in shown.run("document.body.innerText")


HOST = """<!DOCTYPE html><html {attributes}><head><style>
body {{ margin: 0; background: {background}; color: {text}; font: 20px serif }}
table {{ border: 3px solid red }} td {{ padding: 30px }} .bar, rect {{ stroke: none }}
</style></head><body><table id="own"><tr><td>own</td></tr></table>{block}</body></html>"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("attributes", "dark"),
    [
        ('data-jp-theme-light="true"', False),
        ('data-jp-theme-light="false"', True),
        ('theme="dark"', True),
        ('data-theme="light"', False),
        ('class="vscode-dark"', True),
    ],
)
def test_a_block_follows_the_notebook_rather_than_the_system(
    opened: Show, source: Source, team: ModuleType, scheme: str, attributes: str, dark: bool
) -> None:
    block = source.conversation(team.THREAD)._repr_html_()
    text, background = ("#ddd", "#111") if dark else ("#111", "#fff")
    shown = opened(HOST.format(attributes=attributes, text=text, background=background, block=block), scheme)
    written = _channels(shown.run("getComputedStyle(document.querySelector('.om-graph')).fill"))
    behind = _channels(shown.run("getComputedStyle(document.querySelector('.otel-mas')).backgroundColor"))
    assert (sum(written) > 380) is dark
    assert _contrast(written, behind) > 10


def test_a_block_leaves_the_page_around_it_alone(opened: Show, source: Source, team: ModuleType) -> None:
    look = """(() => { const one = getComputedStyle(document.querySelector('#own')),
        cell = getComputedStyle(document.querySelector('#own td')), body = getComputedStyle(document.body);
        return [one.borderTopWidth, cell.padding, body.fontSize, body.fontFamily, body.color]; })()"""
    conversation = source.conversation(team.THREAD)
    graph = conversation.graph()
    blocks = "".join(
        one._repr_html_() for one in (conversation, graph, graph.critical_path(), graph.cost(), source.traces())
    )
    host = {"attributes": "", "text": "#111", "background": "#fff"}
    alone = opened(HOST.format(**host, block="")).run(look)
    shown = opened(HOST.format(**host, block=blocks))
    assert shown.run(look) == alone == ["3px", "30px", "20px", "serif", "rgb(17, 17, 17)"]
    assert shown.run("getComputedStyle(document.querySelector('.om-table')).borderTopWidth") == "0px"
    assert shown.complaints() == []
    assert len(shown.requests()) == 1


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(float(part)) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """As WCAG 2 defines it."""

    def luminance(colour: tuple[int, ...]) -> float:
        parts = [part / 255 for part in colour]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
