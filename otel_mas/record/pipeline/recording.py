"""One recording: a queue, its processor and its writer, from the first span to the end of the process or a fork."""

from __future__ import annotations

import dataclasses
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from otel_mas.config import Settings
from otel_mas.errors import StoreError
from otel_mas.errors.log import logger
from otel_mas.fork import background_imports, imports
from otel_mas.model.dropped import DropReason, describe_dropped
from otel_mas.record.content.digest import Digester
from otel_mas.record.content.messages import MessageDigests
from otel_mas.record.content.snapshot import snapshot
from otel_mas.record.content.state import StateDigests
from otel_mas.record.event_loop import take_longest_lag
from otel_mas.record.interrupts import first_interrupt_held
from otel_mas.record.pipeline.log_export import LogExport
from otel_mas.record.pipeline.losses import Losses
from otel_mas.record.pipeline.queue import Key, SpanQueue
from otel_mas.record.pipeline.shipping import Shipping
from otel_mas.record.pipeline.span_data import Enricher
from otel_mas.record.pipeline.store_port import Store
from otel_mas.record.pipeline.writer import Writer
from otel_mas.record.sdk.processor import ForeignSpans, RecordingProcessor
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.privacy.stored import Privacy
    from otel_mas.record.pipeline.app_metrics import AppMetrics
    from otel_mas.record.pipeline.batches import BatchBuilder
    from otel_mas.record.pipeline.span_data import SpanData

_BATCH_SPANS = 512
_KEY_BYTES = 32
_LOCK_WAIT_S = 1.0  # in SQLite, for another process's transaction; the writer then tries again by itself
_FORK_WAIT_S = 2 * _LOCK_WAIT_S
_DAY_NS = 86_400 * 10**9


class Recording:
    """Records into one store with one set of settings. Has no thread and no file until the first span.

    Args:
        settings: with `content` set.
        open_store: opens the store; a stand-in in tests.
        foreign_spans: completes spans of other instrumentation.
        enrichers: complete every ended span.
    """

    def __init__(
        self,
        settings: Settings,
        open_store: Callable[[Settings, bytes, str], Store] | None = None,
        *,
        foreign_spans: ForeignSpans | None = None,
        enrichers: Sequence[Enricher] = (),
    ) -> None:
        self.settings = settings
        self._new_key = secrets.token_bytes(_KEY_BYTES)  # of a store that is created here
        self._used_key: bytes | None = None
        self.queue = SpanQueue(settings.queue_spans, settings.queue_bytes, batch_spans=_BATCH_SPANS, wake=self._wake)
        self._open_store = open_store or partial(_open, digest_key=self._new_key, queue=self.queue)
        self._foreign_spans = foreign_spans
        self._enrichers = (*enrichers, *([foreign_spans.enrich] if foreign_spans is not None else ()))
        self.processor = RecordingProcessor(self.queue, self.flush, foreign_spans)
        self._digester = Digester(self._digest_key)
        self.digests = MessageDigests(self._digester, self._announce)
        self._values = StateDigests(self._digester)
        self._metrics: AppMetrics | None = None
        self.instance_id = b""
        self._key: bytes | None = None
        self._privacy: Privacy
        # Those of parent processes: collecting one would close its connection.
        self._abandoned: list[Writer | Shipping | LogExport] = []
        self._begin()

    def _begin(self, *, ships: bool = True) -> None:
        self.instance_id = secrets.token_bytes(16)
        self._builder: BatchBuilder | None = None
        settings = self.settings if ships else dataclasses.replace(self.settings, export=())
        self._shipping = Shipping(settings, self.instance_id)
        self._log_export = LogExport(self.settings)
        self._released_for_fork = False
        self._waited_s = 0.0
        self._ends_with_multiprocessing = False
        self._writer = Writer(
            self.queue,
            self._prepare,
            self._opened,
            interval_s=self.settings.flush_interval_ms / 1000,
            batch_spans=_BATCH_SPANS,
            resend=self._resend,
            thread_started=self._thread_started,
            before_commit=self._shipping.before_commit,
            after_commit=self._shipping.after_commit,
            ended=self._keep_for_metrics,
            content_leaves=self.settings.content_may_leave,
        )

    def flush(self, timeout_s: float) -> bool:
        """Write what is queued; False where that took longer, or cannot be."""
        return self._bounded(self._writer.flush, timeout_s)

    def shutdown(self, timeout_s: float) -> bool:
        """Write what is queued and end; nothing is recorded afterwards."""
        self.queue.closed = True
        if self._foreign_spans is not None:
            self._foreign_spans.finished()
        began = time.monotonic()
        # A flush may have waited in vain already, at a provider's own shutdown say.
        written = self._bounded(partial(self._writer.stop, cpu_s=timeout_s), max(0.1, timeout_s - self._waited_s))
        if not written and not self._writer.failed and not self._writer.finished:
            logger.warning("otel-mas: what was recorded last could not be written to %s in time", self.settings.store)
        dropped = describe_dropped(self.queue.losses.totals(0 if written else self._writer.unwritten_spans))
        if dropped:
            logger.warning("otel-mas: in this process %s", dropped)
        self._shipping.stop(timeout_s - (time.monotonic() - began))
        self._log_export.shutdown(timeout_s - (time.monotonic() - began))
        return written

    def _bounded(self, wait: Callable[[float], bool], timeout_s: float) -> bool:
        began = time.monotonic()
        written = wait(timeout_s)
        self._waited_s = 0.0 if written else self._waited_s + time.monotonic() - began
        return written

    # -- around a fork ---------------------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Close the connection: SQLite's record of the file's locks must not reach the child."""
        held = self._writer.hold(_FORK_WAIT_S)
        self._released_for_fork = held and self._shipping.before_fork()
        if held and not self._released_for_fork:
            self._writer.resume()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._shipping.after_fork_in_parent()
        if self._released_for_fork:
            self._released_for_fork = False
            self._writer.resume()

    def after_fork_in_child(self) -> None:
        """Begin as another instance: queued and open spans are the parent's."""
        released = self._released_for_fork
        self._abandoned += (self._writer, self._shipping, self._log_export)
        parent_ships = self._shipping.started
        self.queue.clear()
        self.queue.losses = Losses()
        self.queue.idle = True
        self._resend()
        if self._metrics is not None:
            self._metrics.after_fork_in_child()
        self.processor.writer_thread = 0
        self.processor.forked_ns = time.time_ns()
        self._begin(ships=not parent_ships)  # its parent ships for it: gRPC does not survive a fork
        if not released and not self.queue.closed:
            self.queue.drop_reason = DropReason.STORE_LOCKED
            self.queue.closed = True
            self._writer.failed = True
            logger.warning(
                "otel-mas: this process records nothing: its parent forked it while the store at %s was busy",
                self.settings.store,
            )

    # -- called back -----------------------------------------------------------------------------------------------

    def _resend(self) -> None:
        self.digests.forget()
        self._values.forget()

    def _wake(self) -> None:
        if not self._ends_with_multiprocessing:  # not left to the writer: the process may end before that thread runs
            self._ends_with_multiprocessing = True
            _end_with_multiprocessing(self._exit)
        self._writer.wake()

    def _keep_for_metrics(self, spans: Sequence[SpanData]) -> None:
        if self._metrics is not None:
            self._metrics.keep(spans)

    def _thread_started(self, thread: int) -> None:
        self.processor.writer_thread = thread

    def _exit(self) -> None:
        with first_interrupt_held():
            self.shutdown(self.settings.exit_timeout_s)

    def _prepare(self, service: str) -> Callable[[], Store]:
        """Import all that writing needs; return the function that opens the store."""
        with background_imports:
            import otel_mas.record.pipeline.batches
            import otel_mas.store.own_figures
            import otel_mas.store.writer  # noqa: F401
            from otel_mas.privacy.stored import Privacy

        self._privacy = privacy = Privacy.of(self.settings)
        if self.settings.metrics and self._metrics is None:
            from otel_mas.record.pipeline.app_metrics import AppMetrics

            self._metrics = AppMetrics(self.settings, self.queue, privacy.text)
        run_id = self.settings.run_id and privacy.text(self.settings.run_id)
        settings = dataclasses.replace(self.settings, run_id=run_id)
        return partial(self._open_store, settings, self.instance_id, privacy.text(service))

    def _opened(self, store: Store) -> BatchBuilder:
        """Return the builder of batches for a store that has just been opened."""
        from otel_mas.record.pipeline.batches import BatchBuilder

        self._key = store.digest_key
        if self._used_key not in (None, self._key):  # another process has created the store meanwhile
            self._used_key = None
            self._digester.rekey(store.digest_key)  # only messages until now cannot be compared
            self._resend()
        if self._privacy.personal is not None:
            self._privacy.personal.key = self.settings.digest_key or store.digest_key
        origin = {names.MAS_INSTANCE_ID: self.instance_id.hex(), names.MAS_STORE_ID: store.store_id}
        if self.settings.run_id:
            origin[names.MAS_RUN_ID] = self._privacy.text(self.settings.run_id)
        if self._builder is None:
            losses, emit = self.queue.losses, self._log_export.emit
            self._builder = BatchBuilder(self._privacy, origin, self._values, self._enrichers, losses, emit)
        else:  # another store than before, with nothing of the first one in it
            self._builder.restart(origin)
            self.queue.announce_again()
            self._resend()
        self._shipping.store_opened()
        return self._builder

    def _digest_key(self) -> bytes:
        if self.settings.digest_key is not None:
            return self.settings.digest_key
        if self._key is not None:
            self._used_key = self._key
            return self._key
        # Not from the writer's thread, which may be opening the store: a hook waits for nobody.
        with imports:
            from otel_mas.store.keys import stored_key
        try:
            key = stored_key(self.settings.store)
        except StoreError as error:
            if not self._writer.failed:
                logger.warning(
                    "otel-mas: the store at %s could not be asked for its key (%s): message digests of this process "
                    "can be compared with no other's. Set OTEL_MAS_DIGEST_KEY to be independent of it",
                    self.settings.store,
                    error,
                )
            return self._new_key
        self._used_key = key or self._new_key
        if self._key is not None:  # opened while we looked
            self._used_key = self._key
        return self._used_key

    def _announce(self, key: Key, digest: str, message: dict[str, Any]) -> bool:
        if self.settings.content == "none":
            message = {"role": message.get("role", "")}
        copy, size = snapshot(message)
        return self.queue.add_message(key, digest, copy, size)


def _end_with_multiprocessing(shutdown: Callable[[], object]) -> None:
    """Shut down by a finalizer of multiprocessing: its forked children leave by `os._exit`, past `atexit`."""
    util: Any = sys.modules.get("multiprocessing.util")
    process: Any = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(None, shutdown, exitpriority=0)


def _open(settings: Settings, instance_id: bytes, service: str, *, digest_key: bytes, queue: SpanQueue) -> Store:
    from otel_mas.store import StoreWriter
    from otel_mas.store.own_figures import OwnFigures

    return StoreWriter(
        settings.store,
        instance_id=instance_id,
        run_id=settings.run_id,
        service=service,
        max_bytes=settings.max_store_bytes,
        max_age_ns=int(settings.max_age_days * _DAY_NS),
        timeout_s=_LOCK_WAIT_S,
        digest_key=digest_key,
        figures=OwnFigures(lambda: queue.waiting_spans, settings.queue_spans, take_longest_lag),
    )


__all__ = ["Recording"]
