"""Evaluator of the final output by the similarity of its meaning to a text, worked out on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from otel_mas.errors import ConfigError, InsufficientEvidence
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.evaluate.evaluators.output import nothing, output_text, quoted

Vectors = Sequence[Sequence[float]]
Embedder = Callable[[list[str]], Vectors]


@dataclass(frozen=True)
class Similar:
    """Passes where the meaning of the output is near that of a text. Its value is the cosine of their embeddings.

    Args:
        expected: the text.
        least: the cosine from which on it passes, -1 to 1.
        channel: this channel of the final state instead of the output.
        embedder: a function from texts to vectors, or an `Embeddings` of LangChain. By default the small model inside
            the package wordllama, where that is installed: nothing leaves the machine, and nothing is downloaded.
    """

    expected: str
    least: float = 0.8
    channel: str | None = None
    embedder: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.least, bool) or not isinstance(self.least, int | float) or not -1 <= self.least <= 1:
            raise ConfigError(f"similar: least is {self.least!r}: give a number from -1 to 1")
        if not isinstance(self.expected, str) or not self.expected.strip():
            raise ConfigError("similar: expected is empty: give a text")

    def evaluate(self, context: RunContext) -> EvaluationReason:
        text = output_text(context, self.channel)
        if text is None:
            return nothing(context)
        embed = _local_embedder() if self.embedder is None else _function(self.embedder)
        found = cosine(*embed([self.expected, text]))
        passed = found >= self.least
        reason = f"{found:.2f} of {self.least:g} at least"
        return EvaluationReason(found, reason if passed else f"{reason}: the output is {quoted(text)}", passed=passed)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Cosine of the angle between two vectors; 0 where one of them is null."""
    length = math.hypot(*one) * math.hypot(*other)
    return sum(float(x) * float(y) for x, y in zip(one, other, strict=True)) / length if length else 0.0


def _function(embedder: Any) -> Embedder:
    embed = getattr(embedder, "embed_documents", embedder)
    if not callable(embed):
        raise ConfigError(f"similar: {embedder!r} is neither a function nor an Embeddings of LangChain")
    return cast(Embedder, embed)


@cache
def _local_embedder() -> Embedder:
    try:
        wordllama: Any = import_module("wordllama")
    except ImportError:
        raise InsufficientEvidence(
            "no local embedder is installed: pip install 'otel-mas[embeddings]', or give `embedder`"
        ) from None
    # The folder of its package: its own default looks for the tokenizer that it ships in a folder of another name
    # (wordllama 0.4.0), and would download it.
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    return cast(Embedder, model.embed)


__all__ = ["Embedder", "Similar", "cosine"]
