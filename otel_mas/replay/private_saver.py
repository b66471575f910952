"""Private copy of a saver: a replay reads the app's checkpoints through it, and writes none of its own into the app's.

LangGraph is imported here: only code of a graph that runs may import this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver

from otel_mas.instrumentation.langgraph.memory import OWN_MEMORY, ThreadMemory
from otel_mas.model.channels import JOIN
from otel_mas.replay.checkpoints import Origin, RunOrigin

_CONF: Final = "configurable"
_THREAD: Final = "thread_id"
_NAMESPACE: Final = "checkpoint_ns"
_ID: Final = "checkpoint_id"
_NO_TASK: Final = "00000000-0000-0000-0000-000000000000"  # LangGraph's: writes of a `Command`
_TASK_MARK: Final = ":"  # in the part of a namespace that names a task: such a graph begins anew with each task


class PrivateSaver(InMemorySaver):
    """A saver in memory that begins with what another one has. A thread is copied as it is read.

    Args:
        saver: the app's, which is read only.
    """

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(serde=saver.serde)
        self._saver = saver
        self._positions: dict[str, RunOrigin] = {}
        setattr(self, OWN_MEMORY, ThreadMemory())

    def position(self, thread: str, origin: RunOrigin) -> None:
        """Let the next run of a thread start from recorded checkpoints.

        Args:
            thread: of the run.
            origin: the checkpoints, with the thread that they were saved in.
        """
        self.delete_thread(thread)
        self._positions[thread] = origin

    def has(self, thread: str) -> bool:
        """Whether anything of a thread is here, or where it is to start."""
        return thread in self._positions or bool(self.storage.get(thread))

    def is_at(self, thread: str, checkpoint_id: str) -> bool:
        """Whether a checkpoint is the last of a thread here."""
        return max(self.storage[thread][""], default="") == checkpoint_id

    def get_next_version(self, current: Any, channel: Any) -> Any:
        """The next version of a channel: of the kind that the app's saver makes."""
        return self._saver.get_next_version(current, channel)

    def get_tuple(self, config: Any) -> CheckpointTuple | None:
        """A checkpoint, copied first where it is not here yet."""
        found = super().get_tuple(config)
        if found is not None or (wanted := self._wanted(config)) is None:
            return found
        read, before = wanted
        if before is None:
            return self._taken(config, self._saver.get_tuple(read))
        return self._taken(config, next(iter(self._saver.list(read, before=before, limit=1)), None))

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        """The same."""
        found = super().get_tuple(config)
        if found is not None or (wanted := self._wanted(config)) is None:
            return found
        read, before = wanted
        if before is None:
            return self._taken(config, await self._saver.aget_tuple(read))
        async for one in self._saver.alist(read, before=before, limit=1):
            return self._taken(config, one)
        return None

    def get_delta_channel_history(self, *, config: Any, channels: Sequence[str]) -> Any:
        """Writes of earlier checkpoints, which are read one by one (LangGraph 1.2)."""
        return BaseCheckpointSaver.get_delta_channel_history(self, config=config, channels=channels)

    async def aget_delta_channel_history(self, *, config: Any, channels: Sequence[str]) -> Any:
        """The same."""
        return await BaseCheckpointSaver.aget_delta_channel_history(self, config=config, channels=channels)

    def _wanted(self, config: Mapping[str, Any]) -> tuple[Any, Any] | None:
        """The app's checkpoint that is asked for, or the one before which it is the last; None where there is none."""
        thread, namespace, given = _parts(config)
        position = self._positions.get(thread)
        if position is None:
            return _config(thread, namespace, given), None
        if given is None and (origin := position.origins.get(namespace)) is not None:
            given = origin.checkpoint_id
        if given is not None:
            return _config(position.thread, namespace, given), None
        if not namespace or _TASK_MARK in namespace.rsplit("|", 1)[-1] or position.outer is None:
            return None
        bound = _config(position.thread, namespace, position.outer.checkpoint_id)
        return _config(position.thread, namespace), bound

    def _taken(self, config: Any, found: CheckpointTuple | None) -> CheckpointTuple | None:
        """A checkpoint of the app's, copied unless it is newer than the last one of its thread here."""
        if found is None:
            return None
        thread, namespace, given = _parts(config)
        found = _moved(found, thread, self._origin(thread, namespace, found))
        newest = max(self.storage[thread][namespace], default="")
        if given is not None and given > newest:
            return found
        self._copy(found, thread, namespace)
        return super().get_tuple(config)

    def _origin(self, thread: str, namespace: str, found: CheckpointTuple) -> Origin | None:
        position = self._positions.get(thread)
        origin = None if position is None else position.origins.get(namespace)
        return origin if origin is not None and origin.checkpoint_id == found.checkpoint["id"] else None

    def _copy(self, found: CheckpointTuple, thread: str, namespace: str) -> None:
        parent = None if found.parent_config is None else found.parent_config[_CONF].get(_ID)
        checkpoint = found.checkpoint
        self.put(_config(thread, namespace, parent), checkpoint, found.metadata, checkpoint["channel_versions"])
        writes: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
        for task_id, channel, value in found.pending_writes or ():
            writes[task_id].append((channel, value))
        for task_id, written in writes.items():
            self.put_writes(_config(thread, namespace, checkpoint["id"]), written, task_id)


def _moved(found: CheckpointTuple, thread: str, origin: Origin | None) -> CheckpointTuple:
    """A checkpoint as one of another thread; of an origin without the writes that are left out."""
    namespace = found.config[_CONF].get(_NAMESPACE, "")
    parent = None if found.parent_config is None else found.parent_config[_CONF].get(_ID)
    left_out = frozenset() if origin is None else origin.undone | {_NO_TASK}
    if origin is not None:
        found.checkpoint["channel_values"] = {
            name: _unjoined(value, origin.not_joined) if name.startswith(JOIN) else value
            for name, value in found.checkpoint["channel_values"].items()
        }
    return found._replace(
        config=_config(thread, namespace, found.checkpoint["id"]),
        parent_config=None if parent is None else _config(thread, namespace, parent),
        pending_writes=[one for one in found.pending_writes or () if one[0] not in left_out],
    )


def _unjoined(value: Any, names: frozenset[str]) -> Any:
    """Value of a join, without the nodes that come later.

    LangGraph saves in the background while the next step adds to the same set (langgraph#8748); it can go with that.
    """
    if isinstance(value, set | frozenset):
        return set(value) - names
    if isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], set | frozenset):
        return (set(value[0]) - names, value[1])
    return value


def _parts(config: Mapping[str, Any]) -> tuple[str, str, str | None]:
    configurable = config[_CONF]
    return str(configurable[_THREAD]), configurable.get(_NAMESPACE) or "", configurable.get(_ID) or None


def _config(thread: str, namespace: str, checkpoint_id: str | None = None) -> Any:
    found: dict[str, Any] = {_THREAD: thread, _NAMESPACE: namespace}
    if checkpoint_id is not None:
        found[_ID] = checkpoint_id
    return {_CONF: found}


__all__ = ["PrivateSaver"]
