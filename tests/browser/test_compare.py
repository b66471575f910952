"""The page's comparison of two recorded runs, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from otel_mas.cli import cli
from tests.answers.record_two_runs import ARCHIVE, CLOSED
from tests.browser.devtools import Browser, Page
from tests.browser.shown import parameter, shows, until
from tests.serving.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = tmp_path_factory.mktemp("compare") / "runs.db"
    assert CliRunner().invoke(cli, ["import", str(ARCHIVE), "--store", str(store)]).exit_code == 0
    with Server(store) as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    after, before = api(server, "/traces")["traces"]
    opened = Page(browser, f"http://{server.page}/compare?a={before['trace_id']}&b={after['trace_id']}", "light", 1280)
    until(opened, "document.querySelectorAll('.pair').length > 5")
    yield opened
    opened.close()


def api(server: Server, path: str) -> Any:
    _, _, body = server.request("GET", f"/api/v1{path}", at=server.page)
    return json.loads(body)


def rows(page: Page, kind: str) -> list[str]:
    found: list[str] = page.run(f"[...document.querySelectorAll('.pair{kind} bdi')].map(one => one.innerText)")
    return found


def test_steps_of_both_runs_stand_side_by_side(page: Page) -> None:
    shows(page, ".summary", "2 steps added, 2 removed")

    assert rows(page, ".added") == ["find#2", "find#2/tool:look_up#1"]
    assert rows(page, ".removed") == ["review#1", "review#1/model#1"]
    assert page.run("document.querySelectorAll('.pair.added .side.none').length") == 2
    assert "find#1" not in rows(page, "")  # it is the same in both
    page.run("document.querySelector('.compare input[type=checkbox]').click()")
    until(page, "[...document.querySelectorAll('.pair bdi')].some(one => one.innerText === 'find#1')")


def test_a_button_goes_to_where_they_differ_first(page: Page) -> None:
    shows(page, "button.jump", "plan#1/model#1")

    page.run("document.querySelector('button.jump').click()")

    shows(page, ".pair[aria-current]", "plan#1/model#1")
    shows(page, ".answers section", "Look up trains, hotels, weather.")
    shows(page, ".answers section:last-child", "Look up trains, visa, hotels, weather.")
    assert parameter(page, "step") is not None


def test_a_step_shows_both_answers_and_what_it_follows_from(page: Page) -> None:
    page.run(
        "[...document.querySelectorAll('.pair button')].find(one => one.innerText.includes('find#3/tool')).click()"
    )

    shows(page, ".answers section:last-child", CLOSED)
    shows(page, ".answers p", "It follows from plan#1/model#1")
    page.run("document.querySelector('.answers button.jump').click()")
    shows(page, ".pair[aria-current]", "plan#1/model#1")
    assert page.complaints() == []
