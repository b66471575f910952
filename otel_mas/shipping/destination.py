"""The port that every destination implements, the outcomes of a request, and installed destinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar, NamedTuple, Protocol, TypeAlias, cast

from otel_mas.config import Settings
from otel_mas.config.server import masked_url
from otel_mas.errors import ConfigError
from otel_mas.otlp.framing import LogRow
from otel_mas.privacy.redact import redact_text

GROUP = "otel_mas_destination"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The destination has the spans, except for a number that it rejected for good."""

    rejected: int = 0
    message: str = ""


class FailureKind(Enum):
    """Causes of a failure, by the part that has to change."""

    UNKNOWN_HOST = auto()
    UNREACHABLE = auto()
    TIMEOUT = auto()
    UNTRUSTED = auto()
    OTHER_HOST = auto()
    PLAIN_SERVER = auto()
    TLS_SERVER = auto()
    CLIENT_CERTIFICATE = auto()
    CERTIFICATE_FILE = auto()
    """A file of certificates or keys, on this side, cannot be used."""
    ACCESS = auto()
    NOT_OTLP = auto()
    HEADERS = auto()
    """They cannot be sent."""
    SERVER_ERROR = auto()


class Failure(NamedTuple):
    """Why a server took no spans; `detail` is its own message, or that of the connection."""

    kind: FailureKind
    detail: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Not now. `after_s` is how long the destination asks to wait; `overloaded`: it was sent too much, by anybody."""

    reason: str
    after_s: float | None = None
    overloaded: bool = False
    failure: Failure | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Never these spans; or, where it is not `about_the_data`, nothing as the destination is set up."""

    reason: str
    about_the_data: bool = False
    failure: Failure | None = field(default=None, compare=False)


Outcome: TypeAlias = Accepted | Unavailable | Refused


class Destination(Protocol):
    """Somewhere that spans are shipped to."""

    @property
    def name(self) -> str:
        """Kind and address, the key of its cursor: the same at every start, without secrets."""
        ...

    @property
    def server(self) -> str:
        """The `server_key` of its endpoint; "" where it is no server."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long `send` takes at most, about."""
        ...

    def send(self, rows: Sequence[LogRow]) -> Outcome:
        """Send spans, and wait for the answer; an empty request asks whether the destination is up.

        Failures of a server or a disk are outcomes, never exceptions.
        """
        ...

    def close(self) -> None: ...


class DestinationType(Protocol):
    """The type that an entry point of the group `otel_mas_destination` names."""

    sends_to: ClassVar[str]
    """For people: "an OTLP endpoint"."""

    @classmethod
    def open(cls, target: str, settings: Settings, environ: Mapping[str, str]) -> Destination:
        """Make the destination; nothing is connected yet.

        Args:
            target: the text after `name:`; "" where there is none.
            environ: the standard variables.

        Raises:
            ConfigError: naming everything that is wrong with its settings.
        """
        ...


def installed_destinations() -> dict[str, EntryPoint]:
    """Installed destinations by name, ours and those of other packages; nothing is imported yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def open_destination(wanted: str, settings: Settings, environ: Mapping[str, str]) -> Destination:
    """Open a destination as OTEL_MAS_EXPORT names it: `otlp`, `otlp:http://host:4318`, `file:/var/log/spans.jsonl`.

    Raises:
        ConfigError: nothing of this name is installed, or its settings are wrong.
    """
    known = installed_destinations()
    name, _, target = wanted.partition(":")
    if name not in known:
        raise ConfigError(
            f"there is no destination {name!r} ({redact_text(masked_url(wanted))});"
            f" there are {', '.join(known) or 'none: reinstall otel-mas'}"
        )
    return cast(DestinationType, known[name].load()).open(target, settings, environ)
