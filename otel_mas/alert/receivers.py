"""Receivers of notifications, as a rules file has them."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from otel_mas.alert.rules import Seconds, Severity
from otel_mas.config.server import masked_url
from otel_mas.errors import ConfigError


class ReceiverType(StrEnum):
    """The form in which a receiver is told."""

    WEBHOOK = "webhook"
    """A JSON document of ours, with an `Idempotency-Key`: docs/alerts.md has its fields."""
    SLACK = "slack"
    """An incoming webhook of Slack, or of what understands its messages (Mattermost, Rocket.Chat, Discord's /slack)."""
    ALERTMANAGER = "alertmanager"
    """The API v2 of Prometheus' Alertmanager, which then groups, silences and repeats."""


class Receiver(BaseModel):
    """One place that alerts are sent to. Its address may be a secret: it is given in one of three ways.

    Args:
        name: for messages.
        type: the form.
        url: the address.
        url_env: the environment variable that has it.
        url_file: the file that has it, such as a mounted secret.
        severities: only alerts of these; of all by default.
        resolved: whether it is told that alerts are over.
        timeout: seconds that one request may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    type: ReceiverType
    url: SecretStr | None = None
    url_env: str | None = None
    url_file: str | None = None
    severities: tuple[Severity, ...] = tuple(Severity)
    resolved: bool = True
    timeout: Seconds = Field(10.0, gt=0)

    @model_validator(mode="after")
    def _has_one_address(self) -> Self:
        given = [one for one in (self.url, self.url_env, self.url_file) if one is not None]
        if len(given) != 1:
            raise ValueError("give one of `url`, `url_env` and `url_file`")
        return self

    def address(self) -> str:
        """The address, read anew each time: secrets are rotated.

        Raises:
            ConfigError: The variable is not set, the file cannot be read, or it is no address of HTTP.
        """
        found = self._read().strip()
        if not found.startswith(("http://", "https://")) or any(one.isspace() for one in found):
            raise ConfigError(f"receiver {self.name}: its address must begin with http:// or https://")
        return found

    def _read(self) -> str:
        if self.url is not None:
            return self.url.get_secret_value()
        if self.url_env is not None:
            found = os.environ.get(self.url_env, "")
            if not found:
                raise ConfigError(f"receiver {self.name}: the environment variable {self.url_env} is not set")
            return found
        try:
            return Path(self.url_file or "").expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise ConfigError(f"receiver {self.name}: {self.url_file} cannot be read: {reason}") from None

    @property
    def shown(self) -> str:
        """Name and host, without what may be secret in a path or query."""
        if self.url is None:
            return self.name
        scheme, _, rest = masked_url(self.url.get_secret_value()).partition("://")
        return f"{self.name} ({scheme}://{rest.partition('/')[0]})"


__all__ = ["Receiver", "ReceiverType"]
