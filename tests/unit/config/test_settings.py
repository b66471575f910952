"""The environment and what overrides it."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_mas.config import Settings
from otel_mas.errors import ConfigError


def test_nothing_set_gives_the_defaults() -> None:
    settings = Settings.from_env({"HOME": "/home/ada"})

    assert settings == Settings(store="/home/ada/.local/share/otel-mas/runs.db")


def test_the_store_lies_where_the_xdg_directories_say() -> None:
    assert Settings.from_env({"XDG_DATA_HOME": "/data"}).store == "/data/otel-mas/runs.db"


def test_a_relative_xdg_directory_is_ignored_as_its_specification_says() -> None:
    assert Settings.from_env({"XDG_DATA_HOME": "data", "HOME": "/h"}).store == "/h/.local/share/otel-mas/runs.db"


def test_the_environment_of_the_process_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_RUN_ID", "run-7")

    assert Settings.from_env().run_id == "run-7"


def test_every_variable_reaches_its_field() -> None:
    settings = Settings.from_env(
        {
            "OTEL_MAS_STORE": "/tmp/x.db",
            "OTEL_MAS_CONTENT": "Full",
            "OTEL_MAS_DIGEST_KEY": "ab" * 32,
            "OTEL_MAS_QUEUE_SPANS": "10",
            "OTEL_MAS_QUEUE_BYTES": "1MiB",
            "OTEL_MAS_FLUSH_INTERVAL_MS": "20",
            "OTEL_MAS_EXIT_TIMEOUT": "1.5s",
            "OTEL_MAS_MAX_STORE_BYTES": "2GB",
            "OTEL_MAS_MAX_AGE": "12h",
            "OTEL_MAS_RECORD_UNSAMPLED": "false",
            "OTEL_MAS_RUN_ID": "r",
            "OTEL_MAS_SIMULATED_COST": "yes",
            "OTEL_MAS_STRICT": "1",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
        }
    )

    assert settings == Settings(
        store="/tmp/x.db",
        content="full",
        digest_key=b"\xab" * 32,
        queue_spans=10,
        queue_bytes=2**20,
        flush_interval_ms=20,
        exit_timeout_s=1.5,
        max_store_bytes=2 * 10**9,
        max_age_days=0.5,
        record_unsampled=False,
        run_id="r",
        simulated_cost=True,
        strict=True,
        capture_message_content="SPAN_ONLY",
    )


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings.from_env({"HOME": "/h", "OTEL_MAS_QUEUE_SPANS": "", "OTEL_MAS_CONTENT": " "}) == Settings.from_env(
        {"HOME": "/h"}
    )


@pytest.mark.parametrize(
    ("environ", "enabled"),
    [
        ({}, True),
        ({"OTEL_MAS_ENABLED": "false"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_SDK_DISABLED": "1"}, True),  # OpenTelemetry: only `true` is true
        ({"OTEL_MAS_ENABLED": "true", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_either_switch_turns_it_off(environ: dict[str, str], enabled: bool) -> None:
    assert Settings.from_env(environ).enabled is enabled


def test_code_can_turn_it_off_but_not_on_again() -> None:
    assert Settings.from_env({}, enabled=False).enabled is False
    assert Settings.from_env({"OTEL_MAS_ENABLED": "false"}, enabled=True).enabled is False


def test_an_override_goes_before_the_environment_and_none_is_no_override() -> None:
    environ = {"OTEL_MAS_CONTENT": "none", "OTEL_MAS_RUN_ID": "r"}

    settings = Settings.from_env(environ, content="full", run_id=None, store=Path("/x/runs.db"), queue_bytes="2MiB")

    assert (settings.content, settings.run_id) == ("full", "r")
    assert (settings.store, settings.queue_bytes) == ("/x/runs.db", 2 * 2**20)


def test_all_that_is_invalid_is_named_at_once() -> None:
    environ = {"OTEL_MAS_CONTENT": "some", "OTEL_MAS_QUEUE_SPANS": "0", "OTEL_MAS_MAX_AGE": "old"}

    with pytest.raises(ConfigError) as caught:
        Settings.from_env(environ, queue_bytes=-1, colour="red", strict="perhaps")

    assert len(caught.value.problems) == 6
    assert "OTEL_MAS_CONTENT is 'some'; it must be one of full, redacted, none" in caught.value.problems
    assert any("'colour'" in problem for problem in caught.value.problems)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("queue_spans", True), ("queue_spans", 1.5), ("strict", 1), ("digest_key", b"short"), ("content", 3)],
)
def test_an_override_of_the_wrong_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        Settings.from_env({}, **{name: value})


def test_a_key_is_never_repeated_in_a_message() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({"OTEL_MAS_DIGEST_KEY": "hunter2"}, digest_key=b"hunter3")

    assert "hunter" not in str(caught.value)
