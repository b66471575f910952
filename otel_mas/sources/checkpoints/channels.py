"""LangGraph's rules for channels, applied to checkpoints: what was available, what was due, who wrote what still waits.

The kind of a channel is told by its name, which LangGraph gives it: `branch:to:X` holds the writers of the last step (a
deferred node's, which keeps a pair, all since it last ran), `join:a+b:X` all since it was last full and read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from otel_mas.sources.checkpoints.sqlite import TASKS, Saved

if TYPE_CHECKING:
    from otel_mas.sources.checkpoints.tasks import Run, Task

_BRANCH, _JOIN = "branch:to:", "join:"

Writer: TypeAlias = "Task | Run"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who wrote what waits in the channels at a checkpoint; `sends` in the order of the `Send`s there.

    `members` are those that a join has. The checkpoint's own word is not taken for it: LangGraph may save it only when
    the next step has added to the same set.
    """

    channels: Mapping[str, tuple[Writer, ...]] = field(default_factory=dict)
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sends: tuple[Writer | None, ...] = ()

    def after(self, written: Sequence[Written], saved: Saved, consumed: Collection[str]) -> Waiting:
        """What waits at the next checkpoint.

        Args:
            written: Who wrote which channels in between, in LangGraph's order.
            saved: The next checkpoint.
            consumed: The channels that set off the tasks in between.
        """
        channels = {name: writers for name, writers in self.channels.items() if name not in consumed}
        members = {name: found for name, found in self.members.items() if name not in consumed}
        fresh: dict[str, tuple[Writer, ...]] = {}
        sends: list[Writer | None] = []
        for writer, writes in written:
            for channel, value in writes:
                if channel == TASKS:
                    sends.append(writer)
                elif not channel.startswith(_JOIN):
                    fresh[channel] = _with(fresh.get(channel, ()), writer)
                elif channel in consumed or value not in self.members.get(channel, ()):  # it waited for the first one
                    members[channel] = members.get(channel, frozenset()) | {value}
                    channels[channel] = _with(channels.get(channel, ()), writer)
        for channel, writers in fresh.items():
            held = channels.get(channel, ()) if _paired(saved.values.get(channel)) else ()
            channels[channel] = (*held, *(writer for writer in writers if writer not in held))
        if len(sends) != len(saved.sends):
            sends = [*self.sends, *sends]
        return Waiting(
            {name: writers for name, writers in channels.items() if name in saved.values},
            members,
            tuple(sends) if len(sends) == len(saved.sends) else (None,) * len(saved.sends),
        )


Written: TypeAlias = "tuple[Writer, Iterable[tuple[str, Any]]]"


def available(saved: Saved, channel: str, waiting: Waiting) -> bool:
    """Whether a channel could trigger a task at a checkpoint."""
    if channel not in saved.values:
        return False
    value = saved.values[channel]
    done = bool(value[1]) if _paired(value) else True
    if not channel.startswith(_JOIN):
        return done
    kept = value[0] if _paired(value) else value
    there = waiting.members.get(channel, kept if isinstance(kept, tuple) else ())
    # All are there when their names, joined as LangGraph joins them, are as long as the channel says.
    wanted = channel[len(_JOIN) :].rpartition(":")[0]
    return done and len("+".join(map(str, there))) == len(wanted)


def newer(saved: Saved, waiting: Waiting, node: str, triggers: Iterable[str], late: Iterable[str] = ()) -> list[str]:
    """The triggers of a node that made it run: available, and changed since it last ran. `late` ones came since."""
    seen = saved.seen.get(node, {})
    late = set(late)
    return [
        channel
        for channel in sorted(triggers)
        if channel in late
        or (available(saved, channel, waiting) and _after(saved.versions.get(channel), seen.get(channel)))
    ]


def scheduled(saved: Saved, waiting: Waiting, triggers: Mapping[str, Iterable[str]]) -> list[tuple[str, int | None]]:
    """What was to run next at a checkpoint: nodes, and `Send`s with their number."""
    due: list[tuple[str, int | None]] = [(name, number) for number, name in enumerate(saved.sends) if name is not None]
    nodes = {name for name in triggers if newer(saved, waiting, name, triggers[name])}
    for channel in saved.values:
        name = channel.rpartition(":")[2]
        if channel.startswith((_BRANCH, _JOIN)) and newer(saved, waiting, name, (channel,)):
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


def _with(writers: tuple[Writer, ...], writer: Writer) -> tuple[Writer, ...]:
    return writers if writer in writers else (*writers, writer)


def _paired(value: Any) -> bool:
    """A deferred channel keeps its value with whether the rest is done."""
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[1], bool)


def _after(version: Any, seen: Any) -> bool:
    if version is None:
        return False
    return seen is None or bool(version > seen)
