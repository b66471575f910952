"""Apps about calls of models: retries, windows that fill, growth, repetition, failures by modality, budgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count, pairwise
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, RemoveMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import RetryPolicy

from tests.accuracy.generated.family import Family, Setting
from tests.accuracy.generated.parts import State, in_a_row, place, roles, say, says, sentences
from tests.accuracy.topologies.model import ScriptedModel

_SIZES = {"gpt-4o-mini": 128_000, "gpt-4o": 128_000, "gpt-4.1-mini": 1_047_576, "gpt-3.5-turbo": 16_385}
"""Context windows in tokens, as OpenAI's pages of these models have them."""


class _Measured(ScriptedModel):
    """A model of OpenAI's by name, whose calls have so many input tokens."""

    tokens: Any = 100

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": self.model, "ls_model_type": "chat"}

    def _answer(self, messages: Sequence[BaseMessage]) -> AIMessage:
        answer = super()._answer(messages)
        tokens = self.tokens(messages) if callable(self.tokens) else self.tokens
        usage = {"input_tokens": tokens, "output_tokens": 9, "total_tokens": tokens + 9}
        return answer.model_copy(update={"usage_metadata": usage})


def _loop(nodes: dict[str, Callable[..., Any]], rounds: int, state: Any = State) -> Any:
    """A graph in which nodes take turns so many times; the first counts in `rounds`."""
    graph = StateGraph(state)
    names = list(nodes)
    for name, node in nodes.items():
        graph.add_node(name, node)
    graph.add_edge(START, names[0])
    for name, following in pairwise(names):
        graph.add_edge(name, following)
    graph.add_conditional_edges(names[-1], lambda state: names[0] if state["rounds"] < rounds else END, [names[0], END])
    return graph.compile(name="office")


# -- retries -----------------------------------------------------------------------------------------------------------


def _retries(setting: Setting) -> None:
    """A model, tool or node fails five to nine times in a row; or up to four times, in between, or side by side."""
    random = setting.random
    apart = not setting.holds and random.random() < 0.4
    times = random.randrange(5, 10) if setting.holds or apart else random.randrange(1, 5)
    failures = count()
    error = random.choice((ConnectionError("reset"), TimeoutError("too slow"), RuntimeError("busy")))
    works = random.random() < 0.7

    def fails(*_: Any) -> str:
        number = next(failures)
        if number < times if not apart else number % 3:
            raise error
        return sentences(random)

    model = ScriptedModel(script=fails)
    called = tool("register", description="Look something up.")(lambda place: fails(place))
    how = random.choice(("model", "tool", "node"))
    tries = times + 1 if works else times
    who = roles(random, 1)[0]

    def write(state: State) -> State:
        if how == "node":
            return {"answer": fails()}
        for number in range(tries):
            with suppress(type(error)):
                return {"answer": _one(how, f" {number}" if apart else "")}
        return {"answer": "nothing"}

    def _one(how: str, more: str) -> str:
        return say(model, f"Write.{more}") if how == "model" else str(called.invoke({"place": f"Elmstead{more}"}))

    attempts = RetryPolicy(
        max_attempts=tries, initial_interval=0.0005, backoff_factor=1, jitter=False, retry_on=OSError
    )
    graph = StateGraph(State)
    policy = attempts if not isinstance(error, RuntimeError) else attempts._replace(retry_on=RuntimeError)
    graph.add_node(who, write, retry_policy=policy if how == "node" else None)
    graph.add_edge(START, who)
    with suppress(type(error)):
        graph.compile(name="office").invoke({}, setting.config)


# -- windows -----------------------------------------------------------------------------------------------------------


def _window(setting: Setting) -> None:
    """Input of 81 to 99 % of the window; or of 20 to 79 %, or of a model that nobody knows."""
    random = setting.random
    name, size = random.choice(list(_SIZES.items()))
    share = random.uniform(0.81, 0.99) if setting.holds else random.uniform(0.2, 0.79)
    strange = not setting.holds and random.random() < 0.2
    model = _Measured(script=says(sentences(random)).script, model="house-model" if strange else name)
    model.tokens = 10**6 if strange else int(share * size)
    who = roles(random, 1)[0]
    in_a_row("office", [(who, lambda state: {"answer": say(model, "Write.")})]).invoke({}, setting.config)


def _refusals(setting: Setting) -> None:
    """A provider refuses a call as too long; or for another reason."""
    random = setting.random
    long = (
        "Error code: 400 - {'error': {'code': 'context_length_exceeded'}}",
        "This model's maximum context length is 16385 tokens, however you requested 20000 tokens",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)",
    )
    others = (
        "Error code: 400 - {'error': {'code': 'invalid_api_key'}}",
        "max_tokens is too large: 20000. This model supports at most 16384 completion tokens",
        "the file name is too long",
        "Request too large: tokens per min (TPM): Limit 30000, Requested 41000",
    )

    def refuses(messages: Sequence[BaseMessage]) -> str:
        raise RuntimeError(random.choice(long if setting.holds else others))

    who, caught = roles(random, 1)[0], random.random() < 0.5

    def write(state: State) -> State:
        with suppress(*([RuntimeError] if caught else [])):
            return {"answer": say(ScriptedModel(script=refuses), "Write.")}
        return {"answer": sentences(random)}

    with suppress(RuntimeError):
        in_a_row("office", [(who, write)]).invoke({}, setting.config)


# -- repetition --------------------------------------------------------------------------------------------------------


def _repetition(setting: Setting) -> None:
    """The same answer to the same prompt three to six times; or twice, to other prompts, or other answers."""
    random = setting.random
    how = "same" if setting.holds else random.choice(("twice", "other prompts", "other answers"))
    times = 2 if how == "twice" else random.randrange(3, 7)
    texts = [sentences(random)] if how != "other answers" else [sentences(random) for _ in range(times)]
    model, prompt, who = says(*texts), sentences(random), roles(random, 1)[0]

    def write(state: State) -> State:
        at = state.get("rounds", 0)
        return {"rounds": at + 1, "answer": say(model, f"{prompt} Round {at}." if how == "other prompts" else prompt)}

    _loop({who: write}, times).invoke({}, setting.config)


# -- growth ------------------------------------------------------------------------------------------------------------


def _history(setting: Setting) -> None:
    """A history that grows to 8,000 tokens and more; or to less, in few steps, or that is cut."""
    random = setting.random
    how = "grows" if setting.holds else random.choice(("small", "few steps", "cut"))
    turns = random.randrange(2, 5) if how == "few steps" else random.randrange(8, 12)
    a_message = random.randrange(150, 420) if how == "small" else random.randrange(1_000, 3_000)
    who = roles(random, 1)[0]

    class Talk(MessagesState):
        rounds: int

    def tokens(messages: Sequence[BaseMessage]) -> int:
        return len(messages) * a_message

    model = _Measured(script=lambda messages: f"{len(messages)}: {sentences(random)}", tokens=tokens)

    def speak(state: Talk) -> dict[str, Any]:
        messages: list[AnyMessage] = state["messages"]
        old = [RemoveMessage(id=str(one.id)) for one in messages[:-2]] if how == "cut" else []
        return {"messages": [*old, model.invoke(messages)], "rounds": state.get("rounds", 0) + 1}

    _loop({who: speak}, turns, Talk).invoke({"messages": [HumanMessage(sentences(random))]}, setting.config)


def _channel(setting: Setting) -> None:
    """A channel that grows to 10,000 characters and more; or to less, with one write, or that holds the last value."""
    random = setting.random
    how = "grows" if setting.holds else random.choice(("small", "one large", "last", "few steps"))
    turns = random.randrange(2, 5) if how == "few steps" else random.randrange(8, 12)
    size = {"small": random.randrange(200, 800)}.get(how, random.randrange(1_500, 3_000))
    reduced = random.random() < 0.5 and how != "last"

    def note(state: State) -> State:
        at = state.get("rounds", 0)
        new = (sentences(random, 40) * 4)[
            : 20_000 if how == "one large" and at == 2 else 50 if how == "one large" else size
        ]
        if reduced:
            return {"done": [new], "rounds": at + 1}
        return {"first": new if how == "last" else state.get("first", "") + new, "rounds": at + 1}

    _loop({roles(random, 1)[0]: note}, turns).invoke({}, setting.config)


# -- modality ----------------------------------------------------------------------------------------------------------


def _modality(setting: Setting) -> None:
    """All of six to ten inputs with pictures fail, and none without; or some of both kinds, or two of two."""
    random = setting.random
    few = not setting.holds and random.random() < 0.3
    number = 2 if few else random.randrange(6, 11)
    failing = (setting.holds or few, False)
    kind = random.choice(("image_url", "input_audio"))
    media: dict[str, Any] = {
        "image_url": {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        "input_audio": {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    }[kind]
    chance = random.uniform(0.1, 0.4)

    def look(messages: Sequence[BaseMessage]) -> str:
        has = isinstance(messages[-1].content, list)
        if (failing[0] and has) or (not failing[0] and random.random() < chance):
            raise ValueError("400 this is not supported")
        return sentences(random)

    model = ScriptedModel(script=look)

    def view(state: State) -> State:
        for _ in range(number):
            text = sentences(random)
            for content in ([{"type": "text", "text": text}, media], text):
                with suppress(ValueError):
                    model.invoke([HumanMessage(content)])
        return {"rounds": 1}

    in_a_row("office", [(roles(random, 1)[0], view)]).invoke({}, setting.config)


# -- budgets -----------------------------------------------------------------------------------------------------------

BUDGET = {"budget_tokens": 50_000, "budget_usd": 0.01, "budget_seconds": 30.0}


def _budget(setting: Setting) -> None:
    """Calls that use 51,000 to 60,000 tokens in all; or 30,000 to 49,000."""
    random = setting.random
    calls = random.randrange(2, 6)
    total = random.randrange(51_000, 60_000) if setting.holds else random.randrange(30_000, 49_000)
    model = _Measured(script=says(sentences(random)).script, model="gpt-4o-mini", tokens=total // calls)
    nodes = [(name, lambda state: {"answer": say(model, sentences(random))}) for name in roles(random, calls)]
    in_a_row("office", nodes).invoke({}, setting.config)


def _dollars(setting: Setting) -> None:
    """Calls of gpt-4o, at 2.50 dollars for a million input tokens, for 1.1 to 1.3 cents; or for 0.3 to 0.9."""
    random = setting.random
    calls = random.randrange(2, 5)
    usd = random.uniform(0.011, 0.013) if setting.holds else random.uniform(0.003, 0.009)
    tokens = int(usd / 2.5e-6 / calls)
    model = _Measured(script=says(f"It is in {place(random)}.").script, model="gpt-4o", tokens=tokens)
    nodes = [(name, lambda state: {"answer": say(model, sentences(random))}) for name in roles(random, calls)]
    in_a_row("office", nodes).invoke({}, setting.config)


FAMILIES = (
    Family(
        "retry-storm",
        "the same call, or a node, fails five to nine times in a row",
        "up to four times, or with other arguments",
        (_retries,),
    ),
    Family(
        "context-pressure",
        "81 to 99 % of the window; a refusal as too long",
        "20 to 79 %, a model that nobody knows, other refusals",
        (_window, _refusals),
    ),
    Family(
        "step-repetition",
        "three to six times the same prompt and answer",
        "twice, or other prompts or answers",
        (_repetition,),
    ),
    Family(
        "token-growth",
        "a history of 8,000 tokens and more after eight to eleven calls",
        "less, few calls, or a history that is cut",
        (_history,),
    ),
    Family(
        "memory-growth",
        "a channel of 10,000 characters and more after eight to eleven writes",
        "less, few writes, one large one, or the last value only",
        (_channel,),
        thresholds={"memory_growth_size": 10_000},
    ),
    Family(
        "modality-failures",
        "six to ten inputs with pictures or sound fail, and none without",
        "two of two, or one to four in ten of both kinds",
        (_modality,),
    ),
    Family(
        "budget-overrun",
        "51,000 to 60,000 tokens for a budget of 50,000; 1.1 to 1.3 cents, or 31 to 40 s, likewise",
        "30,000 to 49,000 tokens, 0.3 to 0.9 cents, 10 to 29 s",
        (_budget, _dollars),
        thresholds=BUDGET,
    ),
)

__all__ = ["BUDGET", "FAMILIES"]
