"""Evaluators of the final output, or of one channel of the final state, as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from otel_mas.errors import ConfigError
from otel_mas.errors.printable import one_line
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.model.message_text import text_of

_MOST_QUOTED = 200


def output_text(context: RunContext, channel: str | None) -> str | None:
    """The text that is judged; None where the run's caller got nothing. Raises `InsufficientEvidence`."""
    if channel is None or context.without_output is not None:
        return context.output
    return text_of(context.channel(channel))


def nothing(context: RunContext) -> EvaluationReason:
    """The judgement of a run whose caller got nothing."""
    return EvaluationReason(False, f"there is no output: the run ended with {context.without_output}")


def quoted(text: object) -> str:
    """A text in quotes on one line, cut where it is long."""
    return f"“{one_line(text_of(text), _MOST_QUOTED)}”"


@dataclass(frozen=True)
class Exact:
    """Passes where the output is the expected one; blanks around it do not count.

    Args:
        expected: text; of a number, a list or a mapping the output is read as JSON, or, of a mapping, the channels of
            the final state are compared by name.
        channel: this channel of the final state instead of the output.
    """

    expected: Any
    channel: str | None = None

    def evaluate(self, context: RunContext) -> EvaluationReason:
        if context.without_output is not None:
            return nothing(context)
        if isinstance(self.expected, str):
            text = output_text(context, self.channel) or ""
            same = text.strip() == self.expected.strip()
            return _compared(same, self.expected, text)
        actual = self._actual(context)
        return _compared(_json(actual) == _json(self.expected), self.expected, actual)

    def _actual(self, context: RunContext) -> Any:
        if self.channel is not None:
            return context.channel(self.channel)
        parsed = parsed_json(context.output or "")
        if isinstance(self.expected, Mapping) and not isinstance(parsed, Mapping):
            return {name: context.channel(name) for name in self.expected}
        return parsed


@dataclass(frozen=True)
class Contains:
    """Passes where the output contains a text.

    Args:
        text: the text.
        ignore_case: whether upper and lower case are the same.
        channel: this channel of the final state instead of the output.
    """

    text: str
    ignore_case: bool = False
    channel: str | None = None

    def __post_init__(self) -> None:
        if not self.text:
            raise ConfigError("contains: the text is empty, which every output contains")

    def evaluate(self, context: RunContext) -> EvaluationReason:
        text = output_text(context, self.channel)
        if text is None:
            return nothing(context)
        found = self.text.casefold() in text.casefold() if self.ignore_case else self.text in text
        return EvaluationReason(
            found, "" if found else f"expected {quoted(self.text)} in it, the output is {quoted(text)}"
        )


@dataclass(frozen=True)
class Regex:
    """Passes where a regular expression (Python's `re`) is found in the output; `^` and `$` bind it to the ends.

    Args:
        pattern: the expression.
        ignore_case: whether upper and lower case are the same.
        channel: this channel of the final state instead of the output.
    """

    pattern: str
    ignore_case: bool = False
    channel: str | None = None

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except (re.error, RecursionError) as error:
            raise ConfigError(f"regex: {self.pattern!r} is no regular expression: {error}") from error

    def evaluate(self, context: RunContext) -> EvaluationReason:
        text = output_text(context, self.channel)
        if text is None:
            return nothing(context)
        flags = re.DOTALL | (re.IGNORECASE if self.ignore_case else 0)
        found = re.search(self.pattern, text, flags) is not None
        return EvaluationReason(
            found, "" if found else f"expected a match of {self.pattern}, the output is {quoted(text)}"
        )


def parsed_json(text: str) -> Any:
    """The value of a text as JSON, else the text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _compared(same: bool, expected: object, actual: object) -> EvaluationReason:
    return EvaluationReason(same, "" if same else f"expected {quoted(expected)}, the output is {quoted(actual)}")


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


__all__ = ["Contains", "Exact", "Regex", "nothing", "output_text", "parsed_json", "quoted"]
