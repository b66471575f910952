"""The table and the dataclass say the same."""

from __future__ import annotations

import dataclasses
import re

from otel_mas.config import SETTINGS, Settings
from otel_mas.config.table import env_example, markdown


def test_every_field_has_a_row_and_every_row_a_field() -> None:
    in_code = {"redact_function"}  # a function, which only code can give
    assert {setting.field for setting in SETTINGS} == {field.name for field in dataclasses.fields(Settings)} - in_code


def test_the_defaults_of_the_table_are_the_defaults_of_the_code() -> None:
    table = {setting.field: setting.default for setting in SETTINGS}

    assert table | {"redact_function": None} == {field.name: field.default for field in dataclasses.fields(Settings)}


def test_a_default_that_is_shown_reads_as_that_default() -> None:
    prose = {"store", "content", "digest_key", "run_id", "input_timeout_s", "source_headers", "source_certificate"}
    prose |= {
        "alerts",
        "budgets",
        "metrics_namespace",
        "redact_patterns",
        "redact_keys",
        "remove_paths",
        "keep_paths",
        "log_level",
        "thresholds",
        "faults",
    }
    replay = ("", "_from", "_from_task", "_to_task", "_live", "_changes", "_stub", "_reference", "_volatile")
    prose |= {f"replay{one}" for one in replay}

    for setting in SETTINGS:
        if setting.field not in prose:
            shown = setting.shown or str(setting.default)
            assert setting.parse(shown) == setting.default, setting.env


def test_variables_are_listed_once() -> None:
    names = [setting.env for setting in SETTINGS]

    assert len(names) == len(set(names))


def test_the_markdown_has_a_row_for_each_setting_and_no_broken_cell() -> None:
    rows = markdown().splitlines()[2:]

    assert len(rows) == len(SETTINGS)
    assert all(row.count("|") == 5 for row in rows)


def test_each_line_of_the_example_of_variables_can_be_uncommented() -> None:
    """A value that stands there is the default, and none counts as not set."""
    found = dict(re.findall(r"^#(\w+)=(.*)$", env_example(), re.MULTILINE))

    assert list(found) == [setting.env for setting in SETTINGS]
    assert {s.env: s.parse(found[s.env]) for s in SETTINGS if found[s.env]} == {
        s.env: s.default for s in SETTINGS if found[s.env]
    }
    assert Settings.from_env(found) == Settings.from_env({})
