"""Files of log records, and the filter for formats."""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import otel_mas
from otel_mas.logs import Filter, json_file


@pytest.fixture
def logger() -> logging.Logger:
    found = logging.getLogger("tests.of.logs")
    found.propagate = False
    return found


def lines(path: Path) -> list[dict[str, object]]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_records_are_lines_of_json_with_their_ids(tmp_path: Path, logger: logging.Logger) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db")
    handler = json_file(tmp_path / "app.jsonl", logger=logger)
    try:
        with otel_mas.agent("writer"):
            try:
                raise ValueError("nö")
            except ValueError:
                logger.exception("failed %d", 7, extra={"order": 3, "path": tmp_path})
        logger.warning("outside\nof it")
    finally:
        logger.removeHandler(handler)
        handler.close()
        otel_mas.shutdown(30)
    inside, outside = lines(tmp_path / "app.jsonl")
    assert (inside["message"], inside["agent"], inside["order"]) == ("failed 7", "writer", 3)
    assert str(inside["exception"]).endswith("ValueError: nö")
    assert len(str(inside["trace_id"])) == 32
    assert outside["message"] == "outside\nof it"
    assert "trace_id" not in outside


def test_full_files_are_gzipped_and_the_oldest_goes(tmp_path: Path, logger: logging.Logger) -> None:
    handler = json_file(tmp_path / "app.jsonl", max_bytes=1000, backups=2, logger=logger)
    try:
        for number in range(40):
            logger.warning("record %d", number)
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert sorted(os.listdir(tmp_path)) == ["app.jsonl", "app.jsonl.1.gz", "app.jsonl.2.gz"]
    files = [tmp_path / name for name in ("app.jsonl.2.gz", "app.jsonl.1.gz", "app.jsonl")]
    read = [line["message"] for file in files for line in lines(file)]
    assert read == [f"record {number}" for number in range(40 - len(read), 40)]
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_the_page_shows_what_its_example_prints(tmp_path: Path) -> None:
    page = Path(__file__).parents[2].joinpath("docs", "logging.md").read_text()
    found = re.search(r"<!-- example.*?```python\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL)
    assert found is not None
    done = subprocess.run([sys.executable, "-c", found[1]], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert re.sub(r"(?<=:)[0-9a-f]{10}(?=])", "...", done.stdout) == found[2], done.stderr


def test_the_filter_makes_a_format_with_ids_possible(logger: logging.Logger) -> None:
    record = logger.makeRecord("x", logging.INFO, "f", 1, "hello", (), None)
    assert Filter().filter(record)
    assert logging.Formatter("[%(trace_id)s] %(agent)s%(message)s").format(record) == "[] hello"
