"""Settings with their origin, and without their secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_mas.config import SETTINGS
from otel_mas.config.server import masked_url
from otel_mas.doctor.settings import CheckedSettings, check_settings


def codes(found: CheckedSettings) -> list[str]:
    return [finding.code for finding in found.findings]


def row(found: CheckedSettings, name: str) -> tuple[str, str, bool]:
    (form,) = (form for form in found.forms if form["name"] == name)
    return form["value"], form["origin"], form["valid"]


def test_without_an_environment_everything_is_at_its_default() -> None:
    found = check_settings({"HOME": "/home/me"})
    assert codes(found) == ["settings-valid"]
    assert [form["name"] for form in found.forms] == [setting.env for setting in SETTINGS]
    assert {form["origin"] for form in found.forms} == {"default"}
    assert row(found, "OTEL_MAS_STORE") == ("/home/me/.local/share/otel-mas/runs.db", "default", True)
    assert row(found, "OTEL_MAS_MAX_STORE_BYTES") == ("1GiB", "default", True)


def test_each_value_has_its_origin(tmp_path: Path) -> None:
    environ = {"OTEL_MAS_QUEUE_SPANS": "9", "OTEL_MAS_STORE": "/a.db", "OTEL_SERVICE_NAME": "shop", "PATH": "/bin"}
    found = check_settings(environ)
    assert row(found, "OTEL_MAS_QUEUE_SPANS") == ("9", "environment", True)
    assert row(found, "OTEL_MAS_STORE") == ("/a.db", "environment", True)
    assert row(found, "OTEL_SERVICE_NAME") == ("shop", "environment", True)
    assert "PATH" not in [form["name"] for form in found.forms]
    over = check_settings(environ, str(tmp_path / "b.db"))
    assert row(over, "OTEL_MAS_STORE") == (str(tmp_path / "b.db"), "command line", True)


def test_every_invalid_setting_is_named_and_the_others_still_hold() -> None:
    found = check_settings({"OTEL_MAS_MAX_AGE": "soon", "OTEL_MAS_QUEUE_SPANS": "-1", "OTEL_MAS_CONTENT": "full"})
    assert codes(found) == ["setting-invalid", "setting-invalid"]
    output = [finding.message.partition(";")[0] for finding in found.findings]
    assert sorted(output) == ["OTEL_MAS_MAX_AGE is 'soon'", "OTEL_MAS_QUEUE_SPANS is '-1'"]
    assert row(found, "OTEL_MAS_MAX_AGE") == ("soon", "environment", False)
    assert found.settings.content == "full"
    assert found.settings.max_age_days == 30.0


def test_a_setting_that_does_not_exist_is_noticed_with_the_one_that_was_meant() -> None:
    found = check_settings({"OTEL_MAS_CONTENTS": "none", "OTEL_MAS_ZZZ": "1"})
    assert codes(found) == ["setting-unknown", "setting-unknown", "settings-valid"]
    assert found.findings[0].fix == "perhaps OTEL_MAS_CONTENT is meant; docs/settings.md lists all there are"
    assert found.findings[1].fix == "unset it; docs/settings.md lists all there are"


@pytest.mark.parametrize(("name", "value"), [("OTEL_MAS_ENABLED", "false"), ("OTEL_SDK_DISABLED", "TRUE")])
def test_recording_that_is_switched_off_is_a_problem(name: str, value: str) -> None:
    found = check_settings({name: value})
    assert codes(found) == ["switched-off", "settings-valid"]
    assert found.findings[0].message == f"{name}={value} switches recording off"
    assert not found.settings.enabled


def test_a_configuration_file_of_the_sdk_is_named_and_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "otel.yaml"
    assert "config-file-unusable" in codes(check_settings({"OTEL_CONFIG_FILE": str(path)}))
    path.write_text("file_format: '1.0'")
    assert "config-file" in codes(check_settings({"OTEL_CONFIG_FILE": str(path)}))


SECRET = "s3cr3t-V4lue"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            f"authorization=Bearer%20{SECRET},x={SECRET}",
            "authorization=***,x=***",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", SECRET, "***"),
        ("OTEL_MAS_SOURCE_HEADERS", f"authorization={SECRET}", "authorization=***"),
        ("OTEL_MAS_DIGEST_KEY", f"{SECRET}", "***"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            f"https://me:{SECRET}@host:4318/v1?token={SECRET}",
            "https://***@host:4318/v1?***",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"me:{SECRET}@host:4318", "***@host:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"https://me:a/b{SECRET}@host", "https://***@host"),
        ("OTEL_SOME_API_KEY", SECRET, "***"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/etc/key.pem", "/etc/key.pem"),
        ("OTEL_RESOURCE_ATTRIBUTES", f"team=a,password={SECRET}", None),
        ("OTEL_MAS_EXPORT", f"otlp:http://me:{SECRET}@host:4318", None),
    ],
)
def test_secrets_are_never_shown(name: str, value: str, shown: str | None) -> None:
    found = check_settings({name: value})
    text = repr([found.forms, found.findings])
    assert SECRET not in text
    if shown is not None:
        assert row(found, name)[0] == shown


def test_addresses_keep_what_a_person_needs() -> None:
    assert masked_url("http://localhost:4318/v1/traces") == "http://localhost:4318/v1/traces"
    assert masked_url("localhost:4318") == "localhost:4318"
    assert masked_url("http://[::1]:4317") == "http://[::1]:4317"
    assert masked_url("http://[::1") == "http://[::1"
    assert masked_url(f"http://[::1/{SECRET}@x") == "http://***@x"
    assert masked_url("http://a@http://b") == "http://***@http://b"
