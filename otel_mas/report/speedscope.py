"""Speedscope's file format (https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from otel_mas.causal import CausalGraph
from otel_mas.report.text import plain
from otel_mas.report.tracks import Track, tracks

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(graphs: Sequence[CausalGraph], name: str = "otel-mas") -> dict[str, Any]:
    """The runs as a document of evented profiles, one for each track, in ns since the start of its run.

    Args:
        graphs: The runs.
        name: Title of the document.
    """
    frames: dict[str, int] = {}
    profiles = [_profile(graph, track, frames) for graph in graphs for track in tracks(graph)]
    return {
        "$schema": SCHEMA,
        "name": name,
        "exporter": f"otel-mas@{version('otel-mas')}",
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": frame} for frame in frames]},
        "profiles": profiles,
    }


def _profile(graph: CausalGraph, track: Track, frames: dict[str, int]) -> dict[str, Any]:
    begin = graph.spans[0].start_ns
    events = [
        {"type": "O" if opens else "C", "frame": frames.setdefault(plain(span.name), len(frames)), "at": at - begin}
        for span, at, opens in track.steps()
    ]
    return {
        "type": "evented",
        "name": track.name,
        "unit": "nanoseconds",
        "startValue": 0,
        "endValue": max(graph.ends) - begin,
        "events": events,
    }


__all__ = ["SCHEMA", "speedscope"]
