"""What is exported for speedscope is a file by its schema, and speedscope shows it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from otel_mas.cli import cli
from tests.browser.devtools import Browser, Page
from tests.browser.speedscope import NoSpeedscope, speedscope
from tests.unavailable import unavailable

EXAMPLE = Path(__file__).resolve().parents[1] / "answers" / "example_team.jsonl.gz"


@pytest.fixture(scope="session")
def viewer(surroundings: dict[str, str]) -> Path:
    try:
        return speedscope(surroundings)
    except NoSpeedscope as missing:
        unavailable(missing, surroundings)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "team.speedscope.json"
    command = ["export", "--from", str(EXAMPLE), "--conversation", "tram", "--format", "speedscope", "-o", str(path)]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    return path


def test_the_file_is_one_by_the_schema(viewer: Path, exported: Path) -> None:
    schema = json.loads((viewer / "file-format-schema.json").read_text())
    document = json.loads(exported.read_text())

    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "profiles": [{"type": "evented"}]}, schema)


def test_speedscope_shows_it(viewer: Path, exported: Path, browser: Browser, tmp_path: Path) -> None:
    """As speedscope's own command line opens a file."""
    script = tmp_path / "load.js"
    content = base64.b64encode(exported.read_bytes()).decode()
    script.write_text(f'speedscope.loadFileFromBase64("team.speedscope.json", "{content}")')
    page = Page(browser, f"{(viewer / 'index.html').as_uri()}#localProfilePath={script}")
    for _ in range(50):
        if "research-team" in page.run("document.body.innerText"):
            break
        browser.settle(0.2)

    assert "research-team (1/4)" in page.run("document.body.innerText")
    assert "otel-mas" in page.run("document.title")
    page.close()
