"""The settings of this process: the environment, and what code or the command line says over it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from otel_mas.config.table import SETTINGS, Capture, Content, Setting, default_store
from otel_mas.errors import ConfigError

OWN = "own"
"""`model_spans` where they are ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process was told. Made by `Settings.from_env()`; meanings and defaults are in `SETTINGS`.

    `content` is None where nobody chose; the way in then decides.
    """

    enabled: bool = True
    store: str = ""
    content: Content | None = None
    redact_patterns: tuple[str, ...] = ()
    redact_keys: tuple[str, ...] = ()
    digest_key: bytes | None = None
    max_store_bytes: int = 2**30
    max_age_days: float = 30.0
    record_unsampled: bool = True
    queue_spans: int = 65536
    queue_bytes: int = 64 * 2**20
    flush_interval_ms: int = 50
    exit_timeout_s: float = 5.0
    input_timeout_s: float | None = None
    simulated_cost: bool = False
    model_spans: str = OWN
    run_id: str | None = None
    strict: bool = False
    export: tuple[str, ...] = ()
    archive_file_bytes: int = 64 * 2**20
    source_headers: tuple[tuple[str, str], ...] = ()
    source_certificate: str | None = None
    source_timeout_s: float = 30.0
    capture_message_content: Capture = "NO_CONTENT"
    content_attribute_bytes: int = 32 * 2**10

    @property
    def content_may_leave(self) -> bool:
        """Whether spans that leave this machine may hold content. EVENT_ONLY asks for it on events that are logs."""
        return self.capture_message_content in ("SPAN_ONLY", "SPAN_AND_EVENT")

    @property
    def shipped_content(self) -> int:
        """Bytes of each attribute with content that leaves along with spans; 0 where none may leave."""
        return self.content_attribute_bytes if self.content_may_leave else 0

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read the settings.

        Args:
            environ: variables to read; the process's own by default. An empty one counts as not set.
            overrides: fields by name. Text is read as it would be in the environment; None counts as not given.
                Nothing overrides OTEL_SDK_DISABLED=true or OTEL_MAS_ENABLED=false: off means off.

        Raises:
            ConfigError: naming every invalid setting at once.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {"store": default_store(environ)}
        problems: list[str] = []
        switches: list[Any] = []
        for setting in SETTINGS:
            given = environ.get(setting.env, "").strip()
            if not given:
                continue
            value = _read(setting, given, setting.env, problems)
            if setting.field == "enabled":
                switches.append(value)
            else:
                values[setting.field] = value
        for name, given in overrides.items():
            if given is not None:
                values[name] = _override(name, given, problems)
        switches.append(values.pop("enabled", None))
        if problems:
            raise ConfigError(*problems)
        settings = cls(enabled=all(switch is not False for switch in switches), **values)
        # Who asks for content on spans asks for it to be recorded.
        return (
            replace(settings, content="redacted")
            if settings.content is None and settings.content_may_leave
            else settings
        )


_BY_FIELD = {setting.field: setting for setting in reversed(SETTINGS)}
_FIELDS = tuple(field.name for field in fields(Settings))


def _read(setting: Setting, text: str, where: str, problems: list[str]) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        was = "(not shown)" if setting.secret else repr(text)
        problems.append(f"{where} is {was}; it must be {error}")
        return None


def _checked_items(
    setting: Setting, check: Callable[[Sequence[str]], Any], given: Sequence[str], where: str, problems: list[str]
) -> Any:
    try:
        return check(given)
    except ValueError as error:
        problems.append(f"{where} is {'(not shown)' if setting.secret else repr(given)}; it must be {error}")
        return None


def _override(name: str, given: Any, problems: list[str]) -> Any:
    setting = _BY_FIELD.get(name)
    if setting is None:
        problems.append(f"there is no setting {name!r}; there are {', '.join(_FIELDS)}")
        return None
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if isinstance(given, str):
        return _read(setting, given, name, problems)
    if setting.items is not None and isinstance(given, list | tuple):
        return _checked_items(setting, setting.items, given, name, problems)
    problem = _type_problem(setting, given)
    if problem:
        problems.append(f"{name} is {'(not shown)' if setting.secret else repr(given)}; it must be {problem}")
    return given


def _type_problem(setting: Setting, given: Any) -> str | None:
    """What is wrong with a value that did not come as text; None where nothing is."""
    if setting.field == "digest_key":
        return None if isinstance(given, bytes) and len(given) == 32 else "32 bytes or 64 hexadecimal digits"
    if isinstance(setting.default, bool):
        return None if isinstance(given, bool) else "True or False"
    if not isinstance(setting.default, int | float) or isinstance(given, bool):
        return setting.type
    if not isinstance(given, int | float):
        return setting.type
    try:
        setting.parse(repr(given))
    except ValueError as error:
        return str(error)
    return None
