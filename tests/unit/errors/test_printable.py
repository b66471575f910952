"""Foreign text is shown without characters that a terminal acts on or that hide."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from otel_mas.errors.log import logger
from otel_mas.errors.printable import one_line, printable, printable_json

HOSTILE = "\x1b[31mred\x1b]0;t\x07\x9b1m\x7f\u202egnp\u2066x\u2069\u2028\u200b\u200e\ufeff\ud800\U000e0041end"
BAD = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200b\u200e\ufeff\ud800-\udfff\U000e0000-\U000e007f]")


def test_each_unprintable_character_becomes_a_space() -> None:
    shown = printable(HOSTILE)
    assert len(shown) == len(HOSTILE)
    assert not BAD.search(shown)
    assert "red" in shown
    assert shown.endswith("end")


def test_scripts_and_emoji_keep_their_joiners() -> None:
    logged = "می‌خواهم 👩‍👧 é 日本"
    assert printable(logged) == logged


def test_json_keeps_its_meaning_and_its_line_breaks() -> None:
    logged = {"name": HOSTILE.replace("\ud800", "")}
    shown = printable_json(json.dumps(logged, ensure_ascii=False, indent=2))
    assert json.loads(shown) == logged
    assert not BAD.search(shown.replace("\n", ""))


def test_a_servers_words_are_one_line_and_short() -> None:
    assert one_line("a\n b\t c") == "a b c"
    assert one_line("x" * 10_000) == "x" * 199 + "…"


def test_log_lines_and_tracebacks_are_printable(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "otel_mas")
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.warning("otel-mas: it says %s", HOSTILE, exc_info=True)
    assert "it says" in caplog.text
    assert "ValueError" in caplog.text
    assert not BAD.search(caplog.text.replace("\n", ""))


def test_commands_print_through_one_place() -> None:
    folder = Path(__file__).parents[3] / "otel_mas" / "cli"
    direct = re.compile(r"click\.s?echo\(|(?<![\w.])print\(|sys\.std(out|err)\.write\(|Console\(")
    found = {one.name for one in folder.glob("*.py") if direct.search(one.read_text())}
    # One writes a page of the docs, and no command runs it.
    assert found - {"reference.py"} == {"output.py"}


def test_loggers_are_made_in_one_place() -> None:
    project = Path(__file__).parents[3]
    made = re.compile(r'^logger = logging\.getLogger\("otel_mas', re.MULTILINE)
    files = [*project.glob("otel_mas/**/*.py"), *project.glob("exporters/**/*.py")]
    assert [one.name for one in files if made.search(one.read_text())] == ["log.py"]
