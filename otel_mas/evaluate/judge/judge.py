"""The judge: an evaluator that asks a chat model of LangChain for a score, or falls back to a regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal

from opentelemetry.context import attach, detach, set_value
from pydantic import BaseModel, Field, ValidationError

from otel_mas.errors import ConfigError, InsufficientEvidence, MissingExtra
from otel_mas.errors.printable import one_line
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.evaluate.evaluators.output import nothing, output_text, quoted
from otel_mas.evaluate.judge.cache import JudgeCache, key_of
from otel_mas.evaluate.judge.prompt import RUBRIC, VERSION, Question, comparison
from otel_mas.evaluate.judge.score import JudgeScore
from otel_mas.evaluate.judge.steps import steps_digest
from otel_mas.evaluate.judge_cost import JudgeCost, cost_of_call
from otel_mas.model.message_text import text_of
from otel_mas.record import SUPPRESSED

Choice = Literal["a", "b", "tie"]


class _Preference(BaseModel):
    """Which of two outputs is better."""

    rationale: str = Field(description="One or two sentences that name what decided.")
    better: Choice = Field(description='"a", "b", or "tie" where neither is better in substance')


@dataclass(frozen=True)
class Judge:
    """Asks a model to score the output from 1 to 5; the run passes from `passes_from` on.

    It is called only where a harness may ask judges (`ask_judge=True`, `--judge`). Otherwise, or without a model,
    the expectation is looked for in the output as a regular expression, and the result says so.

    Args:
        model: what `langchain.chat_models.init_chat_model` takes, such as "openai:gpt-4.1-mini",
            "google_genai:gemini-2.5-flash", "anthropic:claude-haiku-4-5" or "ollama:llama3.2"; or a chat model.
        rubric: the scale, a line for each score from 5 to 1; by default one for any task.
        passes_from: the score from which on a run passes, 1 to 5.
        options: other arguments of `init_chat_model`: `base_url`, `temperature`, `timeout`. By default the
            temperature is 0.
        task: what was asked of the system; by default the input of the case, else what the run was given.
        expected: the expectation; by default the expected output of the case.
        pattern: the regular expression that stands in for the judge; by default the expectation.
        channel: this channel of the final state instead of the output.
        cache: path of the SQLite file with earlier answers; by default one in the user's cache directory, except for
            a chat model of a class of your own, which nothing tells from others.
    """

    model: Any = None
    rubric: str = RUBRIC
    passes_from: float = 3
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    task: str | None = None
    expected: str | None = None
    pattern: str | None = None
    channel: str | None = None
    cache: str | None = None

    def __post_init__(self) -> None:
        number = not isinstance(self.passes_from, bool) and isinstance(self.passes_from, int | float)
        if not number or not 1 <= self.passes_from <= 5:
            raise ConfigError(f"judge: passes_from is {self.passes_from!r}: give a score from 1 to 5")
        if self.model is not None and not (
            hasattr(self.model, "invoke") or (isinstance(self.model, str) and self.model)
        ):
            raise ConfigError(f"judge: model is {self.model!r}: give the name of a model, or a chat model of LangChain")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except (re.error, RecursionError) as error:
                raise ConfigError(f"judge: {self.pattern!r} is no regular expression: {error}") from error

    def evaluate(self, context: RunContext) -> EvaluationReason:
        text = output_text(context, self.channel)
        if text is None:
            return nothing(context)
        if self.model is None or not context.ask_judge:
            return self._by_pattern(text)
        task = self.task if self.task is not None else context.input_text
        question = Question(task, self.expected, text, steps_digest(context) or None, self.rubric)
        found = self.score(question, context.judge_costs)
        parts = ", ".join(f"{name} {points}" for name, points in found.breakdown.model_dump().items())
        return EvaluationReason(
            found.score,
            f"{found.score} of 5 ({parts}): {one_line(found.rationale, 600)}",
            found.score >= self.passes_from,
        )

    def score(self, question: Question, costs: list[JudgeCost] | None = None) -> JudgeScore:
        """The model's score of an output, or what it answered to the same question before.

        Args:
            question: all that the model is told.
            costs: what it costs is added to it, also where that fails.

        Raises:
            InsufficientEvidence: The model cannot be asked, or gives no score.
            MissingExtra: LangChain, or its package for the model's provider, is not installed.
        """
        found = self._answer(JudgeScore, question.messages(), costs)
        assert isinstance(found, JudgeScore)
        return found

    def prefer(self, task: str | None, a: str, b: str) -> Choice:
        """Which of two outputs is better, asked once, in this order; raises as `score`."""
        found = self._answer(_Preference, comparison(task, self.expected, a, b, self.rubric), None)
        assert isinstance(found, _Preference)
        return found.better

    def _answer(
        self, form: type[BaseModel], messages: list[tuple[str, str]], costs: list[JudgeCost] | None
    ) -> BaseModel:
        key = key_of(VERSION, form.__name__, self.name, self._configuration, self.options, *messages)
        costs = [] if costs is None else costs
        known = self._cache.get(key) if self._keeps else None
        if known is not None:
            try:
                answer = form.model_validate_json(known)
                costs.append(JudgeCost(kept=1))
                return answer
            except ValidationError:
                pass  # of another version: asked anew
        answer = self._asked(form, messages, costs)
        if self._keeps:
            self._cache.put(key, self.name, answer.model_dump_json())
        return answer

    def _asked(self, form: type[BaseModel], messages: list[tuple[str, str]], costs: list[JudgeCost]) -> BaseModel:
        try:
            structured = self._chat_model.with_structured_output(form, include_raw=True)
        except MissingExtra:
            raise
        except Exception as error:
            raise self._not_asked(error) from error
        try:
            with _neither_recorded_nor_replayed():
                found = structured.invoke(messages)
        except Exception as error:
            costs.append(JudgeCost(asked=1, unpriced=1))
            raise self._not_asked(error) from error
        costs.append(cost_of_call(self._chat_model, found["raw"]))
        answer = found["parsed"]
        if not isinstance(answer, form):
            why = found["parsing_error"] or getattr(found["raw"], "additional_kwargs", {}).get("refusal")
            raise InsufficientEvidence(
                f"judge {self.name} gave no score{f': {one_line(str(why), 300)}' if why else ''}"
            )
        return answer

    def _not_asked(self, error: Exception) -> InsufficientEvidence:
        return InsufficientEvidence(
            f"judge {self.name} could not be asked: {type(error).__name__}: {one_line(str(error), 300)}"
        )

    @property
    def name(self) -> str:
        """The name of the model."""
        if isinstance(self.model, str):
            return self.model
        named = (getattr(self.model, one, None) for one in ("model_name", "model"))
        return next((one for one in named if isinstance(one, str)), type(self.model).__name__)

    @cached_property
    def _chat_model(self) -> Any:
        if not isinstance(self.model, str):
            return self.model
        try:
            from langchain.chat_models import init_chat_model
        except ImportError:
            raise MissingExtra("a judge needs LangChain: pip install 'otel-mas[judge]'") from None
        return init_chat_model(self.model, **{"temperature": 0, **self.options})

    @cached_property
    def _configuration(self) -> str | None:
        """Parameters of a model that is given as an object, by which LangChain tells models apart in its own caches."""
        described = getattr(self.model, "_get_llm_string", None)
        return described() if callable(described) else None

    @property
    def _keeps(self) -> bool:
        """Whether answers are kept: not of a model of which nothing tells it from others, unless a cache is given."""
        serializable = getattr(self.model, "is_lc_serializable", None)
        distinguishable = isinstance(self.model, str) or (callable(serializable) and serializable())
        return distinguishable or self.cache is not None

    @cached_property
    def _cache(self) -> JudgeCache:
        return JudgeCache(self.cache)

    def _by_pattern(self, text: str) -> EvaluationReason:
        why = "there is no judge" if self.model is None else "the judge was not asked (--judge, ask_judge=True)"
        if self.pattern is None and self.expected is None:
            raise InsufficientEvidence(f"{why}, and there is no expected output to look for instead")
        wanted = self.pattern if self.pattern is not None else text_of(self.expected)
        found = wanted in text or _matches(wanted, text)
        how = f"{why}: {wanted!r} was looked for as a regular expression, and {'found' if found else 'not found'}"
        return EvaluationReason(found, how if found else f"{how} in {quoted(text)}")


@contextmanager
def _neither_recorded_nor_replayed() -> Iterator[None]:
    """Keep a judge's call out of the run that it judges: its app may be recorded in this process, or replayed."""
    token = attach(set_value(SUPPRESSED, True))
    try:
        yield
    finally:
        detach(token)


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text, re.DOTALL) is not None
    except (re.error, RecursionError):  # an expectation in prose need be no expression
        return False


GeminiJudge = partial(Judge, "google_genai:gemini-2.5-flash")
"""A judge by Gemini; needs langchain-google-genai and GOOGLE_API_KEY."""

__all__ = ["Choice", "GeminiJudge", "Judge"]
