"""Preparation of the log's rows for the way: content is withheld, long arrays are split."""

from __future__ import annotations

from otel_mas.otlp.array_parts import PART_BYTES, with_split_arrays
from otel_mas.otlp.framing import LogRow
from otel_mas.privacy.withhold import Withholder


class Preparation:
    """Prepares rows, for one thread.

    Args:
        content: bytes of each attribute with content that leaves along with spans; 0 withholds all content.
    """

    def __init__(self, content: int) -> None:
        self._withholder = None if content else Withholder()

    def row(self, row: LogRow) -> tuple[LogRow, int]:
        """The row as it may leave, and the number of values withheld from it.

        Raises:
            ValueError: it cannot be read. Without a look inside, content may leave with it.
        """
        kept, withheld = (row, 0) if self._withholder is None else self._withholder.row(row)
        return (kept if len(kept.body) <= PART_BYTES else kept._replace(body=with_split_arrays(kept.body))), withheld


__all__ = ["Preparation"]
