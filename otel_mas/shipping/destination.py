"""What a destination for the log offers: the port that every destination implements, and where they are found."""

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
    """The destination has them, but for so many that it rejected for good."""

    rejected: int = 0
    message: str = ""


class FailureKind(Enum):
    """What keeps a server from taking spans, by what has to change."""

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
    """Not now. `after_s` is how long the destination asks to be left alone.

    `overloaded` says that others have sent too much, or we have: it is not these spans.
    """

    reason: str
    after_s: float | None = None
    overloaded: bool = False
    failure: Failure | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Not these spans, now or ever; or, where it is not `about_the_data`, nothing at all as things are."""

    reason: str
    about_the_data: bool = False
    failure: Failure | None = field(default=None, compare=False)


Outcome: TypeAlias = Accepted | Unavailable | Refused


class Destination(Protocol):
    """Somewhere that spans are shipped to."""

    @property
    def name(self) -> str:
        """What its cursor is kept under: kind and address, the same at every start, without secrets."""
        ...

    @property
    def server(self) -> str:
        """What `otel_mas.config.server_key` makes of its endpoint; "" where it is no server."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long `send` takes at most, about."""
        ...

    def send(self, rows: Sequence[LogRow]) -> Outcome:
        """Hand over spans, and wait for the answer. Without any, only ask whether it would take some.

        Does not raise for what a server or a disk may do.
        """
        ...

    def close(self) -> None: ...


class DestinationType(Protocol):
    """What an entry point of the group `otel_mas_destination` names."""

    sends_to: ClassVar[str]
    """Where to, for a person: "an OTLP endpoint"."""

    @classmethod
    def open(cls, target: str, settings: Settings, environ: Mapping[str, str]) -> Destination:
        """Make the destination; nothing is connected yet.

        Args:
            target: what followed `name:`; "" where nothing did.
            environ: standard variables are read from here.

        Raises:
            ConfigError: naming everything that is wrong with its settings.
        """
        ...


def installed_destinations() -> dict[str, EntryPoint]:
    """The destinations that are installed, ours and others', by name; nothing is imported yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def open_destination(
    wanted: str, settings: Settings, environ: Mapping[str, str], known: Mapping[str, EntryPoint] | None = None
) -> Destination:
    """Open what OTEL_MAS_EXPORT names: `otlp`, `otlp:http://host:4318`, `file:/var/log/spans.jsonl`.

    Raises:
        ConfigError: nothing of this name is installed, or its settings are wrong.
    """
    known = installed_destinations() if known is None else known
    name, _, target = wanted.partition(":")
    if name not in known:
        raise ConfigError(
            f"there is no destination {name!r} ({redact_text(masked_url(wanted))});"
            f" there are {', '.join(known) or 'none: reinstall otel-mas'}"
        )
    return cast(DestinationType, known[name].load()).open(target, settings, environ)
