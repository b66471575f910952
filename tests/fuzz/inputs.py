"""Inputs for fuzzing. FUZZ_EXAMPLES=1000000 tries that many of each kind.

Inputs that were once mishandled stay in `corpus/`, a folder for each kind, and are tried first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, example, settings
from hypothesis import strategies as st

CORPUS: Final = Path(__file__).with_name("corpus")
fuzzed = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)


def corpus(kind: str) -> list[bytes]:
    """The inputs of a kind that are kept."""
    return [file.read_bytes() for file in sorted((CORPUS / kind).glob("*"))]


def examples(argument: str, inputs: Sequence[Any]) -> Callable[[Any], Any]:
    """Try each of these first, as an argument of the test."""

    def decorated(test: Any) -> Any:
        for one in inputs:
            test = example(**{argument: one})(test)
        return test

    return decorated


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """An input with some bytes changed, removed, repeated or put in; sometimes nothing but noise."""
    body = bytearray(draw(st.sampled_from(seeds) | st.binary(max_size=200)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 20))
        change = draw(st.sampled_from(("change", "cut", "end", "repeat", "insert", "maximum")))
        if change == "change" and at < len(body):
            body[at] = draw(st.integers(0, 255))
        elif change == "cut":
            del body[at : at + length]
        elif change == "end":
            del body[at:]
        elif change == "repeat":
            body[at:at] = body[at : at + length] * draw(st.integers(1, 5))
        elif change == "insert":
            body[at:at] = draw(st.binary(max_size=20))
        elif change == "maximum":
            body[at : at + length] = b"\xff" * length
    return bytes(body)
