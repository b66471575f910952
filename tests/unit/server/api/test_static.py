"""The page: its files and routes, and the headers that keep it to this origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import otel_mas
from otel_mas.server.api import create_app


@pytest.fixture
def page(runs: Path, tmp_path: Path) -> Iterator[TestClient]:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets" / "main-D3x_9-aQ.js").write_text("export {}")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    with otel_mas.open(runs) as source, TestClient(create_app(source, static=folder)) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/traces/abc?view=tree", "/conversations/a/b", "/compare?a=1&b=2", "/agents"])
def test_every_route_of_the_page_is_its_index(page: TestClient, path: str) -> None:
    response = page.get(path)

    assert response.text == "<!doctype html><title>page</title>"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"


def test_a_file_with_a_hash_in_its_name_is_kept_for_ever(page: TestClient) -> None:
    assert "immutable" in page.get("/assets/main-D3x_9-aQ.js").headers["Cache-Control"]
    assert page.get("/favicon.svg").headers["Cache-Control"] == "no-cache"
    assert page.get("/favicon.svg").headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/link.txt", "//etc/passwd", "/%00"],
)
def test_no_path_leaves_the_folder_of_the_page(page: TestClient, path: str) -> None:
    response = page.get(path)

    assert response.status_code == 404
    assert "secret" not in response.text.replace("secret.txt", "")


@pytest.mark.parametrize("path", ["/", "/api/v1/info", "/nothing.js", "/api/v1/nothing", "/assets/main-D3x_9-aQ.js"])
def test_every_response_is_kept_to_this_origin(page: TestClient, path: str) -> None:
    headers = page.get(path).headers

    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_an_installation_without_the_page_says_where_the_api_is(runs: Path, tmp_path: Path) -> None:
    with otel_mas.open(runs) as source, TestClient(create_app(source, static=tmp_path / "none")) as client:
        assert "/api/v1" in client.get("/").text
