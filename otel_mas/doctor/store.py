"""The local store: whether it can be recorded into and read, its contents, its users, and its losses."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from otel_mas.config import Settings
from otel_mas.doctor import files
from otel_mas.doctor.findings import Finding, finding
from otel_mas.doctor.forms import HolderForm, ShippingForm, StoreForm
from otel_mas.doctor.sources import message_and_advice
from otel_mas.errors import NotAStore, StoreCorrupt, StoreError, StoreLocked, StoreReadOnly, StoreTooNew
from otel_mas.model.dropped import describe_dropped
from otel_mas.privacy.redact import redact_text
from otel_mas.report.text import byte_size, count, listing, local_time
from otel_mas.store.health import Process, StoreHealth, examine
from otel_mas.store.log_reader import LogReader

MIN_FREE = 64 * 2**20
"""Bytes: below, the next batches may not fit."""

_WATCH_S, _INTERVAL_S = 1.0, 0.1


def check_store(settings: Settings, origin: str) -> tuple[StoreForm, list[Finding]]:
    """Look at the store, without writing to it."""
    path = Path(settings.store).expanduser()
    form = _empty_form(path, origin, settings)
    findings = list(_place(path, form))
    if not path.exists():
        return form, [*findings, finding("store-not-there", path=path)]
    form["open_by"] = files.holders(path)
    try:
        health = examine(path)
    except StoreError as error:
        return form, [*findings, _unreadable(error, path)]
    form.update(_health_form(health))
    form["shipping"], shipping = _shipping(path)
    return form, [*findings, *shipping, *_health(health, path, settings), *_write_locked(path)]


def _place(path: Path, form: StoreForm) -> Iterator[Finding]:
    """Its place on disk, also of a store that is still to be made."""
    blocking = files.unwritable(path)
    form["writable"] = blocking is None
    if blocking is not None:
        yield finding("store-not-writable", path=blocking, store=path)
    for one, mode in files.open_to_others(path):
        yield finding("store-open-to-others", path=one, mode=mode)
    network = files.network_file_system(path)
    if network is not None:
        yield finding("store-on-network", path=path, kind=network)
    yield from check_disk(path, form["free_bytes"], form["max_bytes"])


def check_disk(path: Path, free: int | None, cap: int) -> Iterator[Finding]:
    """Whether the store may grow to its cap, and records at all; sizes in bytes."""
    if free is not None and free < min(MIN_FREE, cap):
        yield finding("disk-full", free=byte_size(free), path=path)
    elif free is not None and free < cap - files.size(path):
        yield finding("disk-short", free=byte_size(free), path=path, cap=byte_size(cap))


def _unreadable(error: StoreError, path: Path) -> Finding:
    message, advice = message_and_advice(error)
    if isinstance(error, StoreLocked):
        return finding("store-locked", path=path, holder=_names(files.holders(path)))
    if isinstance(error, StoreCorrupt):
        damage = message.partition("(")[2].rpartition(")")[0]
        return finding("store-damaged", path=path, damage=damage or message)
    if isinstance(error, StoreTooNew):
        return finding("store-too-new", error=message)
    if isinstance(error, NotAStore):
        empty = path.is_file() and not path.stat().st_size
        return finding("store-not-there", path=path) if empty else finding("store-not-a-store", error=message)
    if isinstance(error, StoreReadOnly):
        message, advice = f"{path} cannot be read by this user", "change its owner or mode"
    return finding("store-fails", error=message, advice=advice)


def _health(health: StoreHealth, path: Path, settings: Settings) -> Iterator[Finding]:
    if health.damage is not None:
        yield finding("store-damaged", path=path, damage=health.damage)
    else:
        yield finding("store-opens", path=path)
    if health.used_bytes > settings.max_store_bytes:
        yield finding("store-over-cap", used=byte_size(health.used_bytes), cap=byte_size(settings.max_store_bytes))
    if dropped := describe_dropped(health.dropped):
        yield finding("spans-dropped", dropped=dropped)
    if health.withheld:
        yield finding("content-withheld", withheld=count(health.withheld, "content"))
    if health.died:
        processes = count(len(health.died), "process", "processes")
        when = local_time(health.died[0].heartbeat_ns)
        yield finding("runs-died", processes=processes, services=_services(health.died), when=when)


def _services(processes: Sequence[Process]) -> str:
    return listing(list(dict.fromkeys(one.service for one in processes)))


def _write_locked(path: Path) -> Iterator[Finding]:
    """A process that keeps the write lock for as long as we look, which no batch takes."""
    suspects = {one["pid"]: one for one in files.holders(path) if one["writing"]}
    deadline = time.monotonic() + _WATCH_S
    while suspects and time.monotonic() < deadline:
        time.sleep(_INTERVAL_S)
        writing = {one["pid"] for one in files.holders(path) if one["writing"]}
        suspects = {pid: one for pid, one in suspects.items() if pid in writing}
    if suspects:
        holder = _names(list(suspects.values()))
        yield finding("store-write-locked", holder=holder, path=path, seconds=f"{_WATCH_S:g}")


def _shipping(path: Path) -> tuple[list[ShippingForm], list[Finding]]:
    """How far each destination of the log is, and the spans that did not reach it."""
    forms: list[ShippingForm] = []
    findings: list[Finding] = []
    with closing(LogReader(path)) as log:
        destinations = log.destinations()
    for one in destinations:
        error = None if one.error is None else redact_text(one.error)
        values = {name: getattr(one, name) for name in ShippingForm.__annotations__}
        forms.append(cast(ShippingForm, {**values, "error": error}))
        waiting = count(one.waiting, "span")
        if one.waiting and error is not None and (one.error_ns or 0) >= (one.sent_ns or 0):
            when = local_time(one.error_ns or 0)
            findings.append(finding("shipping-fails", waiting=waiting, name=one.name, when=when, error=error))
        elif one.waiting and not one.shipping:
            findings.append(finding("shipping-waits", waiting=waiting, name=one.name))
        if one.lost:
            findings.append(finding("shipping-lost", lost=count(one.lost, "span"), name=one.name))
        if one.rejected:
            findings.append(finding("shipping-rejected", rejected=count(one.rejected, "span"), name=one.name))
    return forms, findings


def _names(holders: Sequence[HolderForm]) -> str:
    """The processes that hold it; those that write, where some do."""
    named = [one for one in holders if one["writing"]] or holders
    return listing([f"{one['program']} (process {one['pid']})" for one in named]) or "another process"


def _empty_form(path: Path, origin: str, settings: Settings) -> StoreForm:
    form: dict[str, Any] = dict.fromkeys(StoreForm.__annotations__)
    form |= {"readable": False, "writable": False, "checked": False}
    form |= {name: [] for name in ("writing", "died", "shipping", "open_by")}
    form |= {
        "path": str(path),
        "origin": origin,
        "exists": path.exists(),
        "size_bytes": files.size(path),
        "max_bytes": settings.max_store_bytes,
        "max_age_days": settings.max_age_days,
        "free_bytes": files.free(path),
        "mode": files.mode(path),
    }
    return cast(StoreForm, form)


def _health_form(health: StoreHealth) -> StoreForm:
    form = asdict(health)
    readable = form.pop("damage") is None
    form |= {"readable": readable, "dropped": sum(one.spans for one in health.dropped)}
    form |= {name: list(form[name]) for name in ("writing", "died")}
    return cast(StoreForm, form)
