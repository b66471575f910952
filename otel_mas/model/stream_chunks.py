"""Form of `mas.response.chunks`: lists of numbers, and the fields of the chunks that are more than a text."""

from __future__ import annotations

from typing import Final

CHUNK_NUMBERS: Final = ("us", "lengths")
"""Lists of numbers, one for each chunk. They are not redacted: that takes 5 µs for each, and chunks are many."""
OTHER_CHUNK: Final = -1
"""Among the lengths, in place of that of a chunk which is more than a text: the next one of `others`."""

__all__ = ["CHUNK_NUMBERS", "OTHER_CHUNK"]
