"""Bounds on the labels of a metric: of a label with too many values, the later ones become `other`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

OTHER: Final = "other"
_MAX_SETS: Final = 2_000
"""Sets of labels of one metric: the OpenTelemetry SDK keeps as many of a stream."""
_MAX_CHARS: Final = 200

Labels = tuple[str | None, ...]


class LabelSets:
    """The sets of labels of one metric.

    Args:
        size: the number of labels.
        most: values that a label may have.
        clean: makes of a value what is shown.
    """

    __slots__ = ("_clean", "_most", "_sets", "_values")

    def __init__(self, size: int, most: int, clean: Callable[[str], str]) -> None:
        self._most = most
        self._clean = clean
        self._values: tuple[set[str], ...] = tuple(set() for _ in range(size))
        self._sets: set[Labels] = set()

    def bounded(self, given: tuple[Any, ...]) -> tuple[Labels, bool]:
        """The labels to use for these, and whether one of them became `other`."""
        overflowed = False
        labels: list[str | None] = []
        for value, known in zip(given, self._values, strict=True):
            if value is None:
                labels.append(None)
                continue
            text = self._clean(str(value)[:_MAX_CHARS])
            if not text.isascii():  # with a lone surrogate in it no exporter writes anything any more
                text = text.encode("utf-8", "replace").decode()
            if text not in known:
                if len(known) >= self._most:
                    text, overflowed = OTHER, True
                else:
                    known.add(text)
            labels.append(text)
        found = tuple(labels)
        if found not in self._sets:
            if len(self._sets) >= _MAX_SETS:
                return tuple(None if value is None else OTHER for value in found), True
            self._sets.add(found)
        return found, overflowed


__all__ = ["OTHER", "LabelSets"]
