"""LangGraph's rules for channels, applied to checkpoints: what was available, what was due, who wrote what still waits.

The kind of a channel is told by its name, which LangGraph gives it: `branch:to:X` holds the writers of the last step (a
deferred node's, which keeps a pair, all since it last ran), `join:a+b:X` all since it was last full and read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from otel_mas.sources.checkpoints_sqlite import TASKS, Saved

if TYPE_CHECKING:
    from otel_mas.sources.checkpoints_runs import Run, Task

_BRANCH, _JOIN = "branch:to:", "join:"

Writer: TypeAlias = "Task | Run"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who wrote what waits in the channels at a checkpoint; `sends` in the order of the `Send`s there."""

    channels: Mapping[str, tuple[Writer, ...]] = field(default_factory=dict)
    sends: tuple[Writer | None, ...] = ()

    def after(
        self,
        written: Sequence[tuple[Writer, Iterable[str]]],
        before: Saved | None,
        saved: Saved,
        consumed: Iterable[str],
    ) -> Waiting:
        """What waits at the next checkpoint.

        Args:
            written: Who wrote which channels in between, in LangGraph's order.
            before: The checkpoint that this is said of.
            saved: The next one.
            consumed: The channels that set off the tasks in between.
        """
        fresh: dict[str, list[Writer]] = {}
        sends: list[Writer | None] = []
        for writer, channels in written:
            for channel in channels:
                if channel == TASKS:
                    sends.append(writer)
                elif writer not in fresh.setdefault(channel, []):
                    fresh[channel].append(writer)
        kept: dict[str, tuple[Writer, ...]] = {}
        for channel in {*self.channels, *fresh}:
            if channel not in saved.values:
                continue
            new = fresh.get(channel, [])
            old = self.channels.get(channel, ())
            if channel in consumed or (new and not _accumulates(saved, channel)):
                old = ()
            kept[channel] = (*old, *(writer for writer in new if writer not in old))
        if len(sends) != len(saved.sends):
            sends = [*self.sends, *sends]
        return Waiting(kept, tuple(sends) if len(sends) == len(saved.sends) else (None,) * len(saved.sends))


def available(saved: Saved, channel: str) -> bool:
    """Whether a channel could trigger a task at a checkpoint."""
    if channel not in saved.values:
        return False
    value = saved.values[channel]
    done = value[1] if _paired(value) else True
    if not channel.startswith(_JOIN):
        return bool(done)
    there = value[0] if _paired(value) else value
    # All are there when their names, joined as LangGraph joins them, are as long as the channel says.
    wanted = channel[len(_JOIN) :].rpartition(":")[0]
    return bool(done) and isinstance(there, set) and len("+".join(map(str, there))) == len(wanted)


def newer(saved: Saved, node: str, triggers: Iterable[str], late: Iterable[str]) -> list[str]:
    """The triggers of a node that made it run: available, and changed since it last ran. `late` ones came since."""
    seen = saved.seen.get(node, {})
    late = set(late)
    return [
        channel
        for channel in sorted(triggers)
        if channel in late or (available(saved, channel) and _after(saved.versions.get(channel), seen.get(channel)))
    ]


def scheduled(saved: Saved, triggers: Mapping[str, Iterable[str]]) -> list[tuple[str, int | None]]:
    """What was to run next at a checkpoint: nodes, and `Send`s with their number."""
    due: list[tuple[str, int | None]] = [(name, number) for number, name in enumerate(saved.sends) if name is not None]
    nodes = {name for name in triggers if newer(saved, name, triggers[name], ())}
    for channel in saved.values:
        for prefix in (_BRANCH, _JOIN):
            name = channel.rpartition(":")[2]
            if channel.startswith(prefix) and newer(saved, name, (channel,), ()):
                nodes.add(name)
    return due + [(name, None) for name in sorted(nodes - _NO_NODES)]


_NO_NODES = frozenset(("__input__", "__interrupt__", "__start__"))


def changed(before: Saved | None, saved: Saved) -> set[str]:
    """The channels that a checkpoint holds in another version than the one before."""
    versions = before.versions if before is not None else {}
    return {name for name, version in saved.versions.items() if versions.get(name) != version and name in saved.values}


def task_id(saved: Saved, inside: str, name: str, *parts: str) -> str:
    """The id that LangGraph gives to a task of the step that a checkpoint begins, `inside` of a namespace."""
    from xxhash import xxh3_128_hexdigest

    namespace = f"{inside}|{name}" if inside else name
    text = "".join((namespace, str(saved.step + 1), name, *parts))
    found = xxh3_128_hexdigest(bytes.fromhex(saved.id.replace("-", "")) + text.encode())
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def _accumulates(saved: Saved, channel: str) -> bool:
    return channel.startswith(_JOIN) or _paired(saved.values.get(channel))


def _paired(value: Any) -> bool:
    """A deferred channel keeps its value with whether the rest is done."""
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[1], bool)


def _after(version: Any, seen: Any) -> bool:
    if version is None:
        return False
    return seen is None or bool(version > seen)
