"""Policy of a replay: what is really called, and what becomes of a call without a recorded answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_mas.errors import ConfigError
from otel_mas.replay.recording import CallKind

if TYPE_CHECKING:
    from otel_mas.replay.place import HerePlace

MISS_POLICIES: Final = ("error", "live", "nearest")
DESCENDANTS: Final = "descendants"
"""In `live`: calls that depend on a change, and are asked something else than was recorded."""
LIVE_KINDS: Final = {"models": CallKind.MODEL, "tools": CallKind.TOOL, "retrievers": CallKind.RETRIEVER}


@dataclass(frozen=True, slots=True)
class Policy:
    """How a replay treats what the app calls.

    Args:
        live: what is really called: "models", "tools", "retrievers", or the name of an agent or node, with all in it.
        on_miss: of a call without a recorded answer: "error" raises `ReplayMiss`, "live" calls it, "nearest" answers
            what the most similar recorded request was answered.
        timing: whether answers take as long as they took.
        freeze: whether the clock stands at the recording's start, and random numbers and UUIDs repeat.
    """

    live: frozenset[str] = frozenset()
    on_miss: str = "error"
    timing: bool = False
    freeze: bool = False

    @classmethod
    def of(cls, live: str | Iterable[str], on_miss: str, timing: bool, freeze: bool = False) -> Policy:
        """The policy that arguments ask for.

        Raises:
            ConfigError: An argument is none of its values.
        """
        given = [live] if isinstance(live, str) else list(live) if isinstance(live, Iterable) else [None]
        if not all(isinstance(one, str) and one for one in given):
            raise ConfigError(
                f"live is {live!r}; it must be models, tools, retrievers, descendants, or names of agents"
            )
        if on_miss not in MISS_POLICIES:
            raise ConfigError(f"on_miss is {on_miss!r}; it must be one of {', '.join(MISS_POLICIES)}")
        if not isinstance(timing, bool):
            raise ConfigError(f"timing is {timing!r}; it must be True or False")
        if not isinstance(freeze, bool):
            raise ConfigError(f"freeze is {freeze!r}; it must be True or False")
        return cls(frozenset(given), on_miss, timing, freeze)

    @property
    def nothing_live(self) -> bool:
        """Whether nothing at all is really called."""
        return not self.live and self.on_miss != "live"

    @property
    def descendants_live(self) -> bool:
        """Whether calls that depend on a change are really made."""
        return DESCENDANTS in self.live

    def is_live(self, kind: CallKind, here: HerePlace) -> bool:
        """Whether a call is to be really made, whatever it depends on."""
        return bool(self.live) and any(
            LIVE_KINDS[one] is kind if one in LIVE_KINDS else one in here.names for one in self.live
        )


__all__ = ["DESCENDANTS", "LIVE_KINDS", "MISS_POLICIES", "Policy"]
