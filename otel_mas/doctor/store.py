"""The local store: whether it can be recorded into and read, what is in it, who uses it, what was lost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from otel_mas.config import Settings
from otel_mas.doctor import files, kinds
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import ProcessForm, StoreForm
from otel_mas.doctor.words import parted, size
from otel_mas.errors import NotAStore, StoreCorrupt, StoreError, StoreLocked, StoreReadOnly, StoreTooNew
from otel_mas.model.dropped import describe_dropped
from otel_mas.privacy.redact import redact_text
from otel_mas.report.text import count, listing, local_time
from otel_mas.store.health import Process, StoreHealth, examine
from otel_mas.store.log import LogReader

LEAST_FREE = 64 * 2**20
"""Bytes: below, the next batches may not fit."""

_WATCHED_S = 1.0
_LOOK_S = 0.1
# Opening says both in one error each, whose first half is the finding.
_KINDS = {NotAStore: kinds.STORE_NOT_A_STORE, StoreTooNew: kinds.STORE_TOO_NEW}


@dataclass(slots=True)
class Store:
    """What was found."""

    form: StoreForm
    findings: list[Finding] = field(default_factory=list)


def store(settings: Settings, origin: str) -> Store:
    """Look at the store, without writing to it."""
    path = Path(settings.store).expanduser()
    found = Store(_form(path, origin, settings))
    found.findings += _place(path, settings, found.form)
    if not path.exists():
        found.findings.append(kinds.STORE_NOT_THERE.found(path=path))
        return found
    found.form["open_by"] = [
        {"pid": one.pid, "program": one.program, "writing": one.writing} for one in files.holders(path)
    ]
    try:
        health = examine(path)
    except StoreError as error:
        found.findings.append(_unreadable(error, path))
        return found
    _fill(found.form, health)
    found.findings += _shipping(path, found.form)
    found.findings += _inside(health, path, settings)
    found.findings += _write_locked(path)
    return found


def _place(path: Path, settings: Settings, form: StoreForm) -> Iterator[Finding]:
    """Where it lies, or would be made."""
    blocking = files.unwritable(path)
    form["writable"] = blocking is None
    if blocking is not None:
        yield kinds.STORE_NOT_WRITABLE.found(path=blocking, store=path)
    for one, mode in files.open_to_others(path):
        yield kinds.STORE_OPEN_TO_OTHERS.found(path=one, mode=mode)
    network = files.network_file_system(path)
    if network is not None:
        yield kinds.STORE_ON_NETWORK.found(path=path, kind=network)
    yield from room(path, form["free_bytes"], settings.max_store_bytes)


def room(path: Path, free: int | None, cap: int) -> Iterator[Finding]:
    """Whether the store may grow to its cap, and records at all; sizes in bytes."""
    if free is None:
        return
    if free < min(LEAST_FREE, cap):
        yield kinds.DISK_FULL.found(free=size(free), path=path)
    elif free < cap - files.size(path):
        yield kinds.DISK_SHORT.found(free=size(free), path=path, cap=size(cap))


def _unreadable(error: StoreError, path: Path) -> Finding:
    wrong, remedy = parted(error)
    if isinstance(error, StoreLocked):
        return kinds.STORE_LOCKED.found(path=path, holder=_named(files.holders(path)))
    if isinstance(error, StoreCorrupt):
        return kinds.STORE_DAMAGED.found(path=path, what=_within_brackets(wrong))
    kind = _KINDS.get(type(error))
    if isinstance(error, NotAStore) and path.is_file() and not path.stat().st_size:
        return kinds.STORE_NOT_THERE.found(path=path)
    if kind is not None:
        return kind.found(error=wrong)
    if isinstance(error, StoreReadOnly):
        return kinds.STORE_FAILS.found(error=f"{path} cannot be read by this user", remedy="change its owner or mode")
    return kinds.STORE_FAILS.found(error=wrong, remedy=remedy)


def _within_brackets(said: str) -> str:
    return said.partition("(")[2].rpartition(")")[0] or said


def _inside(health: StoreHealth, path: Path, settings: Settings) -> Iterator[Finding]:
    if health.damage is not None:
        yield kinds.STORE_DAMAGED.found(path=path, what=health.damage)
    else:
        yield kinds.STORE_OPENS.found(path=path)
    if health.used_bytes > settings.max_store_bytes:
        yield kinds.STORE_OVER_CAP.found(used=size(health.used_bytes), cap=size(settings.max_store_bytes))
    if dropped := describe_dropped(health.dropped):
        yield kinds.SPANS_DROPPED.found(dropped=dropped)
    if health.withheld:
        yield kinds.CONTENT_WITHHELD.found(withheld=count(health.withheld, "content"))
    if health.died:
        yield kinds.RUNS_DIED.found(
            processes=count(len(health.died), "process", "processes"),
            services=listing(list(dict.fromkeys(one.service for one in health.died))),
            when=local_time(health.died[0].heartbeat_ns),
        )


def _write_locked(path: Path) -> Iterator[Finding]:
    """Whether one process keeps the write lock for as long as we look, which no batch takes."""
    suspects = {one.pid: one for one in files.holders(path) if one.writing}
    deadline = time.monotonic() + _WATCHED_S
    while suspects and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        still = {one.pid for one in files.holders(path) if one.writing}
        suspects = {pid: one for pid, one in suspects.items() if pid in still}
    if suspects:
        yield kinds.STORE_WRITE_LOCKED.found(
            holder=_named(list(suspects.values())), path=path, seconds=f"{_WATCHED_S:g}"
        )


def _shipping(path: Path, form: StoreForm) -> Iterator[Finding]:
    """How far each destination of the log is, and what became of what it should have got."""
    with closing(LogReader(path)) as log:
        known = log.destinations()
    for one in known:
        error = None if one.error is None else redact_text(one.error)
        form["shipping"].append(
            {
                "name": one.name,
                "waiting": one.waiting,
                "behind_ns": one.behind_ns,
                "shipped": one.shipped,
                "rejected": one.rejected,
                "lost": one.lost,
                "shipping": one.shipping,
                "error": error,
            }
        )
        waiting = count(one.waiting, "span")
        if one.waiting and error is not None and (one.error_ns or 0) >= (one.sent_ns or 0):
            when = local_time(one.error_ns or 0)
            yield kinds.SHIPPING_FAILS.found(waiting=waiting, name=one.name, when=when, error=error)
        elif one.waiting and not one.shipping:
            yield kinds.SHIPPING_WAITS.found(waiting=waiting, name=one.name)
        if one.lost:
            yield kinds.SHIPPING_LOST.found(lost=count(one.lost, "span"), name=one.name)
        if one.rejected:
            yield kinds.SHIPPING_REJECTED.found(rejected=count(one.rejected, "span"), name=one.name)


def _named(holders: Sequence[files.Holder]) -> str:
    """The processes that hold it; those that write, where some do."""
    named = [one for one in holders if one.writing] or list(holders)
    return listing([f"{one.program} (process {one.pid})" for one in named]) or "another process"


def _form(path: Path, origin: str, settings: Settings) -> StoreForm:
    return {
        "path": str(path),
        "origin": origin,
        "exists": path.exists(),
        "readable": False,
        "writable": False,
        "layout": None,
        "size_bytes": files.size(path),
        "used_bytes": None,
        "max_bytes": settings.max_store_bytes,
        "max_age_days": settings.max_age_days,
        "free_bytes": files.free(path),
        "mode": files.mode(path),
        "traces": None,
        "spans": None,
        "oldest_ns": None,
        "newest_ns": None,
        "incomplete": None,
        "dropped": None,
        "withheld": None,
        "redacted": None,
        "checked": False,
        "writing": [],
        "died": [],
        "shipping": [],
        "open_by": [],
    }


def _fill(form: StoreForm, health: StoreHealth) -> None:
    form["readable"] = health.damage is None
    form["layout"] = health.layout
    form["used_bytes"] = health.used_bytes
    form["traces"], form["spans"] = health.traces, health.spans
    form["oldest_ns"], form["newest_ns"] = health.oldest_ns, health.newest_ns
    form["incomplete"], form["withheld"] = health.incomplete, health.withheld
    form["redacted"] = dict(health.redacted)
    form["dropped"] = sum(one.spans for one in health.dropped)
    form["checked"] = health.checked
    form["writing"] = [_process(one) for one in health.writing]
    form["died"] = [_process(one) for one in health.died]


def _process(one: Process) -> ProcessForm:
    return {"service": one.service, "run_id": one.run_id, "heartbeat_ns": one.heartbeat_ns}
