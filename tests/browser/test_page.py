"""The page of a real `otel-mas serve`, in a real browser."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from otel_mas.cli import cli
from tests.browser.devtools import Browser, Page
from tests.browser.otlp_run import SECOND, hostile_run, request, span
from tests.browser.page_sources import NoNode, node_modules
from tests.browser.picture import brightness, colours
from tests.browser.shown import parameter, press, shows, until, violations
from tests.serving.server import Server
from tests.unavailable import unavailable

Visit = Callable[..., Page]
ARCHIVES = Path(__file__).resolve().parents[1] / "answers"
VIEWS = ("picture", "tree", "messages", "mission", "log", "path", "findings", "cost")
READY = {
    "picture": "document.querySelector('.canvas-holder canvas').width > 300",
    "tree": "document.querySelectorAll('[role=treegrid] [role=row]').length > 3",
    "messages": "document.querySelectorAll('.exchange').length > 2",
    "mission": "document.querySelectorAll('.graph-node').length > 3",
    "log": "document.querySelectorAll('.entry').length > 3",
    "path": "document.querySelectorAll('.path-table tbody tr').length > 3",
    "findings": "document.querySelector('.why-not')",
    "cost": "document.querySelectorAll('.cost-table').length == 2",
}
MODEL = {"light": (0x4A, 0x6F, 0xDC), "dark": (0x8A, 0xA5, 0xFF)}
HOSTILE = {
    "markup": '<script>window.hacked=1</script><img src=x onerror="window.hacked=2">{{7*7}}\'"`',
    "right to left": "\u202eevil\u2066 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "a megabyte": "x" * 1_000_000,
}


@pytest.fixture(scope="module")
def runs(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    def fill(folder: Path) -> None:
        for archive in ("example_team", "faulty", "newsdesk"):
            command = ["import", str(ARCHIVES / f"{archive}.jsonl.gz"), "--store", str(folder / "runs.db")]
            done = CliRunner().invoke(cli, command)
            assert done.exit_code == 0, done.output

    return once("page-runs", fill) / "runs.db"


@pytest.fixture(scope="module")
def server(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = tmp_path_factory.mktemp("page") / "runs.db"
    with sqlite3.connect(runs) as source, sqlite3.connect(store) as copy:
        source.backup(copy)
    with Server(store) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    pages: list[Page] = []

    def open_page(path: str, scheme: str = "light", wide: int = 1280, at: Server = server) -> Page:
        pages.append(Page(browser, f"http://{at.page}{path}", scheme, wide))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def team_run(server: Server) -> str:
    """Id of the run of the example team that has the most spans."""
    runs = [one for one in listed(server) if one["service"] == "research-team"]
    found: str = max(runs, key=lambda one: one["span_count"])["trace_id"]
    return found


@pytest.fixture(scope="module")
def modules(surroundings: dict[str, str]) -> Path:
    try:
        return node_modules(surroundings)
    except NoNode as missing:
        unavailable(missing, surroundings)


def api(server: Server, path: str) -> Any:
    status, _, body = server.request("GET", f"/api/v1{path}", at=server.page)
    assert status == 200, body
    return json.loads(body)


def receive(server: Server, body: bytes) -> None:
    status, _, answer = server.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
    assert status == 200, answer


def test_runs_lead_to_the_picture_of_one_and_nothing_leaves_the_origin(
    visit: Visit, server: Server, team_run: str
) -> None:
    page = visit("/")
    until(page, f"document.querySelector('a[href=\"/traces/{team_run}\"]')")
    page.run(f"document.querySelector('a[href=\"/traces/{team_run}\"]').click()")
    until(page, READY["picture"])
    assert page.run("location.pathname") == f"/traces/{team_run}"
    shows(page, "h1", "research_team")
    assert [one for one in page.requests() if not one.startswith(f"http://{server.page}/")] == []
    assert page.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_has_the_colours_of_what_ran(visit: Visit, team_run: str, scheme: str) -> None:
    page = visit(f"/traces/{team_run}", scheme)
    until(page, READY["picture"])
    found = colours(page.screenshot())
    assert found[MODEL[scheme]] > 500
    assert (brightness(found) > 200) is (scheme == "light")


@pytest.mark.parametrize("view", VIEWS)
def test_a_deep_link_opens_its_view_with_its_span(visit: Visit, server: Server, team_run: str, view: str) -> None:
    spans = api(server, f"/traces/{team_run}/picture")["spans"]["id"]
    page = visit(f"/traces/{team_run}?view={view}&span={spans[1]}")
    until(page, READY[view])
    shows(page, ".drawer h2", "supervisor#1")
    assert page.run("document.querySelector('[role=tab][aria-selected=true]').getAttribute('aria-controls')") == "view"
    assert page.run(f"document.querySelector('.view-{view}') !== null")
    assert page.run("document.querySelectorAll('[role=alert]').length") == 0
    assert page.complaints() == []


@pytest.mark.parametrize("view", ["runs", "agents", "compare", *VIEWS])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Visit, server: Server, modules: Path, team_run: str, view: str, scheme: str) -> None:
    span_id = api(server, f"/traces/{team_run}/picture")["spans"]["id"][2]
    paths = {
        "runs": ("/", "document.querySelectorAll('tbody tr').length > 3"),
        "agents": ("/agents?by=node", "document.querySelectorAll('.graph-node').length > 3"),
        "compare": (f"/compare?a={team_run}&b={team_run}&all=1", "document.querySelectorAll('.pair').length > 3"),
    }
    path, ready = paths.get(view, (f"/traces/{team_run}?view={view}&span={span_id}", READY.get(view, "")))
    page = visit(path, scheme)
    until(page, ready)
    if view in VIEWS:
        until(page, "document.querySelector('.drawer .messages')")
    assert violations(page, modules) == []


@pytest.mark.parametrize("view", ["runs", "agents", "compare", *VIEWS])
def test_it_fits_400_pixels(visit: Visit, team_run: str, view: str) -> None:
    path = {"runs": "/", "agents": "/agents?by=node", "compare": f"/compare?a={team_run}&b={team_run}"}.get(
        view, f"/traces/{team_run}?view={view}"
    )
    page = visit(path, wide=400)
    until(page, READY.get(view, "document.querySelector('table')"))
    assert page.run("document.scrollingElement.scrollWidth") <= 400
    assert page.run("document.querySelector('main').scrollWidth") <= 400
    assert (
        page.run("document.querySelector('[aria-selected=true]')?.getBoundingClientRect().right ?? 0") < 401
    )  # whole pixels are scrolled


def test_agents_show_who_leads_to_whom_and_the_variants_of_workflows(visit: Visit) -> None:
    page = visit("/agents")
    shows(page, ".agents-view", "Who leads to whom")
    until(page, "document.querySelectorAll('.graph-node').length > 3")
    page.run("document.querySelector('.agents-view details').open = true")
    shows(page, ".agents-view details", "start of a run")
    shows(page, ".agents-view details", "writer/write_section")
    shows(page, ".agents-view", "Other than the most frequent")
    until(page, "document.querySelector('.agents-view section:last-of-type a').getAttribute('href').length > 30")


def test_keys_move_through_causes_views_and_help(visit: Visit, server: Server, team_run: str) -> None:
    page = visit(f"/traces/{team_run}")
    until(page, READY["picture"])
    labels = api(server, f"/traces/{team_run}/picture")
    title = {
        one: labels["strings"][at] for one, at in zip(labels["spans"]["id"], labels["spans"]["label_s"], strict=True)
    }

    def selected() -> str | None:
        chosen = parameter(page, "span")
        return None if chosen is None else title[chosen]

    page.run(f"history.replaceState(null, '', location.pathname + '?span={labels['spans']['id'][1]}')")
    page.run("dispatchEvent(new PopStateEvent('popstate'))")
    until(page, "document.querySelector('.drawer')")
    assert selected() == "supervisor#1"
    press(page, "ArrowRight")
    assert selected() == "researcher"
    press(page, "ArrowLeft")
    assert selected() == "supervisor#1"
    press(page, "2")
    until(page, READY["tree"])
    press(page, "ArrowDown")
    assert (
        until(page, "document.querySelector('[role=row][aria-selected=true] bdi').innerText")
        == title[str(parameter(page, "span"))]
    )
    assert selected() != "supervisor#1"
    press(page, "?")
    until(page, "document.querySelector('dialog[open]')")
    shows(page, "dialog", "critical path")
    press(page, "Escape")
    until(page, "!document.querySelector('dialog[open]')")
    press(page, "Escape")
    until(page, "!document.querySelector('.drawer')")


def test_the_tree_and_the_log_are_searched(visit: Visit, team_run: str) -> None:
    page = visit(f"/traces/{team_run}?view=tree&find=retrieval")
    until(page, "document.querySelectorAll('[role=treegrid] [role=row]').length == 5")
    shows(page, "[role=treegrid]", "retrieval Archive")
    page = visit(f"/traces/{team_run}?view=log&kind=route")
    until(page, READY["log"])
    assert page.run("[...new Set([...document.querySelectorAll('.entry .kind')].map(one => one.innerText))]") == [
        "route"
    ]


def test_a_what_if_in_the_address_is_answered(visit: Visit, team_run: str) -> None:
    page = visit(f"/traces/{team_run}?view=path&if=faster:writer%3D2|without:relevance")
    shows(page, ".what-if tbody", "end to end")
    shows(page, ".what-if", "relevance")


def test_the_part_of_the_picture_that_is_in_view_is_in_the_address(visit: Visit, team_run: str) -> None:
    page = visit(f"/traces/{team_run}")
    until(page, READY["picture"])
    press(page, "+")
    until(page, "location.search.includes('zoom=')")
    zoomed = str(parameter(page, "zoom"))
    page = visit(f"/traces/{team_run}?zoom={zoomed}")
    until(page, READY["picture"])
    press(page, "-")  # goes on from what the address says
    until(page, f"new URLSearchParams(location.search).get('zoom') != {json.dumps(zoomed)}")


def test_a_task_shows_the_state_that_it_read_and_an_arrow_the_text_that_was_read(visit: Visit, team_run: str) -> None:
    page = visit(f"/traces/{team_run}?view=messages")
    until(page, "[...document.querySelectorAll('.exchange.message, .exchange .message')].length > 2")
    until(page, "document.querySelector('.sequence').innerText.includes('The council closed')")
    page.run("document.querySelector('.exchange button.trigger').click()")
    title = "[...document.querySelectorAll('.drawer summary')].find(one => one.innerText == 'State that it read')"
    until(page, title)
    page.run(f"{title}.click()")
    until(page, f"{title}.parentElement.innerText.includes('after 1 write')")


def test_the_graph_has_what_was_declared_and_did_not_run(visit: Visit, team_run: str) -> None:
    page = visit(f"/traces/{team_run}?view=mission")
    planned = "[...document.querySelectorAll('.graph-node.planned')].map(one => one.textContent)"
    until(page, f"{planned}.length == 1 && {planned}[0].includes('publish')")


def test_findings_of_runs_that_ended_before_are_counted_in_the_list(visit: Visit, server: Server) -> None:
    counts = [len(api(server, f"/traces/{one['trace_id']}/findings")["findings"]) for one in listed(server)]
    assert max(counts) > 0
    page = visit("/")
    until(page, f"document.querySelectorAll('.attention .wait').length == {sum(map(bool, counts))}")
    shown = page.run("[...document.querySelectorAll('.attention .wait')].map(one => parseInt(one.innerText))")
    assert shown == [count for count in counts if count]


def listed(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api(server, "/traces")["traces"]
    return found


def test_filters_are_in_the_address(visit: Visit) -> None:
    page = visit("/?status=error")
    until(page, "document.querySelectorAll('tbody tr').length > 0")
    assert set(page.run("[...document.querySelectorAll('tbody .status')].map(one => one.innerText.trim())")) == {
        "✕failed"
    }
    page.run("document.querySelector('input[type=search]').focus()")
    page.call("Input.insertText", text="agent:nobody")
    press(page, "Enter")
    page.run("document.querySelector('input[type=search]').blur()")
    until(page, "location.search.includes('agent=nobody')")
    shows(page, ".empty", "No run matches.")


def test_a_run_that_is_not_there_is_told_with_a_way_on(visit: Visit) -> None:
    page = visit(f"/traces/{'0' * 31}1")
    shows(page, ".empty", "not in the store")
    assert page.run("document.querySelector('.empty a').getAttribute('href')") == "/"


def test_an_empty_store_says_how_to_fill_it(visit: Visit, tmp_path: Path) -> None:
    with Server(tmp_path / "empty.db") as empty:
        page = visit("/", at=empty)
        shows(page, ".empty", "otel-mas run -- python app.py")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_content_is_text(visit: Visit, server: Server, name: str, view: str) -> None:
    trace_id = f"{sorted(HOSTILE).index(name) + 1:032x}"
    receive(server, hostile_run(trace_id, HOSTILE[name]))
    page = visit(f"/traces/{trace_id}?view={view}&span={'2' * 16}")
    until(page, "document.querySelectorAll('.drawer details').length > 1")
    page.run("document.querySelectorAll('.drawer details').forEach(one => { one.open = true })")
    assert page.run("document.querySelectorAll('main img, main script, main iframe').length") == 0
    assert page.run("window.hacked") is None
    assert page.run("document.body.innerHTML.length") < 3_000_000
    assert page.run("document.scrollingElement.scrollWidth") <= 1280
    assert page.complaints() == []


def test_what_runs_appears_and_nothing_is_missing_after_the_connection_was_lost(visit: Visit, tmp_path: Path) -> None:
    store, trace_id, start = tmp_path / "live.db", "c" * 32, time.time_ns()
    shown = "document.querySelectorAll('[role=treegrid] [role=row]').length"

    def add(number: int, at: Server) -> None:
        parent = "" if number == 1 else f"{1:016x}"
        name = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": f"agent{number}"}
        begin = start + number * SECOND // 100
        receive(
            at, request([span(trace_id, f"{number:016x}", f"agent {number}", begin, begin + SECOND, parent, **name)])
        )

    with Server(store) as first:
        add(1, first)
        runs = visit("/", at=first)
        until(runs, "document.querySelectorAll('tbody tr').length == 1")
        page = visit(f"/traces/{trace_id}?view=tree", at=first)
        until(page, f"{shown} == 1 && document.querySelector('.connection.live')")
        for number in range(2, 6):
            add(number, first)
            until(page, f"{shown} == {number}")
        address = first.page
        first.terminate()
    until(page, "document.querySelector('.connection.lost')")
    with Server(store, ("--listen", address)) as second:
        add(6, second)
        until(page, f"{shown} == 6 && document.querySelector('.connection.live')")
        add(7, second)
        until(page, f"{shown} == 7")
        assert len(set(page.run("[...document.querySelectorAll('[role=row] bdi')].map(one => one.innerText)"))) == 7
