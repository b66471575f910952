"""Settings: the value of each, where it is from, and the ones that cannot be read."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otel_mas.config import SETTINGS, Setting, Settings
from otel_mas.config.server import HIDDEN, masked_url
from otel_mas.doctor.findings import Finding, finding
from otel_mas.doctor.forms import SettingForm
from otel_mas.errors import ConfigError
from otel_mas.privacy.redact import is_secret_key, redact_text
from otel_mas.report.text import plain

_PREFIX = "OTEL_MAS_"
_STORE = "OTEL_MAS_STORE"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,'\"]+", re.IGNORECASE)
_PATHS = ("_CLIENT_KEY", "_CERTIFICATE")  # these hold paths of files, no secrets
# LangSmith's variables that decide where content goes; its others hold keys.
_LANGSMITH = frozenset(
    {"LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"}
    | {"LANGSMITH_OTEL_ENABLED", "LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"}
)


@dataclass(frozen=True, slots=True)
class CheckedSettings:
    """Settings as far as they can be read, with a row for each variable that is shown."""

    settings: Settings
    forms: list[SettingForm]
    findings: list[Finding]
    store_origin: str


def check_settings(environ: Mapping[str, str], store: str | None = None) -> CheckedSettings:
    """Read the environment; `store` is the command line's."""
    problems = {setting.env: problem for setting in SETTINGS if (problem := _problem(environ, setting))}
    readable = {name: value for name, value in environ.items() if name not in problems}
    settings = Settings.from_env(readable, store=store)
    store_origin = "command line" if store is not None else _origin(environ, _STORE)
    findings = [
        *(finding("setting-invalid", problem=mask(problem)) for problem in problems.values()),
        *_unknown(environ),
        *_switched_off(environ, problems),
        *_config_file(environ),
        *([] if problems else [finding("settings-valid")]),
    ]
    forms = [_form(environ, setting, settings, setting.env not in problems, store_origin) for setting in SETTINGS]
    return CheckedSettings(settings, [*forms, *_other_variables(environ)], findings, store_origin)


def mask(text: str) -> str:
    """Text that may hold addresses, without passwords and other secrets."""
    return plain(redact_text(_URL.sub(lambda url: masked_url(url[0]), text)))


def _masked_value(name: str, value: str) -> str:
    if name.endswith("HEADERS"):
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        return ",".join(f"{key.strip()}={HIDDEN}" if equals else HIDDEN for key, equals, _ in pairs)
    if is_secret_key(name) and not name.endswith(_PATHS):
        return HIDDEN
    return plain(redact_text(masked_url(value))) if name.endswith("ENDPOINT") else mask(value)


def _problem(environ: Mapping[str, str], setting: Setting) -> str | None:
    try:
        Settings.from_env({setting.env: environ.get(setting.env, "")})
    except ConfigError as error:
        return error.problems[0]
    return None


def _form(
    environ: Mapping[str, str], setting: Setting, settings: Settings, valid: bool, store_origin: str
) -> SettingForm:
    origin = store_origin if setting.env == _STORE else _origin(environ, setting.env)
    if setting.env == _STORE:
        value = settings.store
    elif origin == "default":
        default = setting.shown or setting.default
        value = str(default).lower() if isinstance(default, bool) else str(default)
    elif setting.secret and not setting.env.endswith("HEADERS"):
        value = HIDDEN
    else:
        value = _masked_value(setting.env, environ[setting.env].strip())
    return {"name": setting.env, "value": value, "origin": origin, "valid": valid}


def _origin(environ: Mapping[str, str], name: str) -> str:
    return "environment" if environ.get(name, "").strip() else "default"


def _other_variables(environ: Mapping[str, str]) -> Iterator[SettingForm]:
    """Variables of OpenTelemetry itself, and LangSmith's switches."""
    own = {setting.env for setting in SETTINGS}
    for name in sorted(environ):
        value = environ[name].strip()
        if value and name not in own and (name.startswith("OTEL_") or name in _LANGSMITH):
            yield {"name": name, "value": _masked_value(name, value), "origin": "environment", "valid": True}


def _unknown(environ: Mapping[str, str]) -> Iterator[Finding]:
    names = [setting.env for setting in SETTINGS if setting.env.startswith(_PREFIX)]
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in names and environ[name].strip():
            rest = [known.removeprefix(_PREFIX) for known in names]
            similar = difflib.get_close_matches(name.removeprefix(_PREFIX), rest, 1)
            advice = f"perhaps {_PREFIX}{similar[0]} is meant" if similar else "unset it"
            yield finding("setting-unknown", name=name, advice=advice)


def _switched_off(environ: Mapping[str, str], problems: Mapping[str, str]) -> Iterator[Finding]:
    for setting in SETTINGS:
        value = environ.get(setting.env, "").strip()
        if setting.field == "enabled" and value and setting.env not in problems and setting.parse(value) is False:
            yield finding("switched-off", name=setting.env, value=value)


def _config_file(environ: Mapping[str, str]) -> Iterator[Finding]:
    path = environ.get("OTEL_CONFIG_FILE", "").strip()
    if path:
        yield finding("config-file" if os.path.isfile(path) else "config-file-unusable", path=path)
