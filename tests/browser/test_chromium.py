"""The browser is found, installed under CI, or its absence is a line that says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser import chromium


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH, without a browser."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "PLACES", ())
    return tmp_path


def program(path: Path, script: str = "") -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_one_on_the_path_is_found_and_a_named_one_goes_first(programs: Path) -> None:
    there = program(programs / "chromium")
    assert chromium.ensure({}) == str(there)
    assert chromium.ensure({"CHROMIUM": "/opt/mine"}) == "/opt/mine"


@pytest.mark.usefixtures("programs")
def test_without_one_it_says_what_to_do() -> None:
    with pytest.raises(chromium.NoChromium, match="apt-get install -y chromium"):
        chromium.ensure({})


def test_under_ci_root_installs_it(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    made = programs / "chromium"
    program(programs / "apt-get", f'[ "$1" = update ] || {{ echo "#!/bin/sh" > {made}; /bin/chmod 755 {made}; }}')
    assert chromium.ensure({"CI": "true"}) == str(made)


def test_an_installation_that_fails_is_told_with_its_reason(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(programs / "apt-get", "echo 'E: Unable to locate package chromium' >&2; exit 100")
    with pytest.raises(chromium.NoChromium, match="Unable to locate package chromium"):
        chromium.ensure({"CI": "true"})


def test_nobody_but_root_installs_anything(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    program(programs / "apt-get", f"echo installed > {programs / 'trace'}")
    with pytest.raises(chromium.NoChromium):
        chromium.ensure({"CI": "true"})
    assert not (programs / "trace").exists()
