"""Findings about model calls, each in a real LangGraph app, and what comes close and is no fault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from threading import Thread
from typing import Any, TypedDict

import httpx
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from otel_mas.model import Severity
from tests.accuracy.findings.conftest import Found
from tests.accuracy.topologies.model import ScriptedModel, ask


class RateLimitError(Exception):
    """As providers' clients have it."""


class State(TypedDict, total=False):
    text: str


class Rounds(State, total=False):
    round: int


def run(write: Any, retry: RetryPolicy | None = None) -> Any:
    """Run a graph of one node `write`, a function or a model that is asked."""
    if isinstance(write, ScriptedModel):
        model = write

        def write(state: State) -> State:
            return {"text": ask(model, "You write.", "Write about the tram.")}

    graph = StateGraph(State)
    graph.add_node("write", write, retry_policy=retry)
    graph.add_edge(START, "write")
    graph.add_edge("write", END)
    return graph.compile(name="paper").invoke({"text": ""})


def failing(times: int, error: Exception) -> ScriptedModel:
    """A model whose first calls fail."""
    calls = count()

    def script(messages: Sequence[BaseMessage]) -> str:
        if next(calls) < times:
            raise error
        return "The tram runs."

    return ScriptedModel(script=script)


def retries(attempts: int, interval_s: float = 0.001) -> RetryPolicy:
    return RetryPolicy(max_attempts=attempts, initial_interval=interval_s, backoff_factor=1, jitter=False)


# -- retries -----------------------------------------------------------------------------------------------------------


def test_a_storm_of_retries_at_two_levels(found: Found) -> None:
    model = failing(5, ConnectionError("reset"))

    def write(state: State) -> State:
        patient = model.with_retry(stop_after_attempt=3, wait_exponential_jitter=False)
        return {"text": ask(patient, "You write.", "Write about the tram.")}

    run(write, retries(3))
    (one,) = found("retry-storm")

    assert one.severity is Severity.WARNING
    assert one.summary.startswith("scripted-small of write failed 5 times in a row within")
    assert one.summary.endswith("(ConnectionError) and then worked")
    assert len(one.spans) == 6
    assert one.saves_ns


def test_a_node_that_works_at_the_third_attempt_is_no_storm(found: Found) -> None:
    run(failing(2, ConnectionError("reset")), retries(5))

    assert found("retry-storm", "rate-limit-wait") == []


# -- rate limits -------------------------------------------------------------------------------------------------------


def test_a_rate_limit_that_is_waited_for(found: Found) -> None:
    run(failing(2, RateLimitError("too fast")), retries(3, 0.6))

    (one,) = found("rate-limit-wait")

    assert (one.severity, one.subject) == (Severity.WARNING, "write: scripted-small")
    assert one.summary.startswith("scripted-small of write was refused 2 times by a rate limit, which cost ")
    assert one.saves_ns is not None
    assert one.saves_ns > 1.2e9


def test_a_rate_limit_that_ends_the_run(found: Found) -> None:
    with pytest.raises(RateLimitError):
        run(failing(1, RateLimitError("too fast")))

    (one,) = found("rate-limit-wait")

    assert one.severity is Severity.ERROR


def test_a_rate_limit_after_which_another_model_takes_over_is_worth_knowing(found: Found) -> None:
    model = failing(1, RateLimitError("too fast")).with_fallbacks([ScriptedModel(script=lambda _: "It runs.")])
    run(lambda state: {"text": ask(model, "You write.", "Write.")})

    (one,) = found("rate-limit-wait")

    assert one.severity is Severity.INFO


class Limited(BaseHTTPRequestHandler):
    """A model's server that refuses the first two requests."""

    requests = 0

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        type(self).requests += 1
        answer = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It runs."}}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini", "choices": [answer]}
        body = json.dumps(reply if self.requests > 2 else {"error": {"message": "too fast"}}).encode()
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200 if self.requests > 2 else 429)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(body)


def test_retries_inside_the_client_of_a_provider_are_seen_where_its_requests_have_spans(found: Found) -> None:
    openai = pytest.importorskip("langchain_openai")
    instrumented = pytest.importorskip("opentelemetry.instrumentation.httpx").HTTPXClientInstrumentor
    with HTTPServer(("127.0.0.1", 0), Limited) as server, httpx.Client(trust_env=False) as client:
        Thread(target=server.serve_forever, daemon=True).start()
        instrumented.instrument_client(client)
        url = f"http://127.0.0.1:{server.server_port}/v1"
        model = openai.ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="k", max_retries=2, http_client=client)
        run(lambda state: {"text": ask(model, "You write.", "Write.")})
        server.shutdown()

    (one,) = found("rate-limit-wait")

    assert (one.severity, len(one.spans)) == (Severity.INFO, 3)
    assert one.summary.startswith("POST of write was refused 2 times by a rate limit, which cost ")


# -- lengths -----------------------------------------------------------------------------------------------------------


class Measured(ScriptedModel):
    """A model of a known window, with a number of input tokens, whose answers end as `finish` says, one by one."""

    model: str = "gpt-4o-mini"
    tokens: int = 100
    finish: Any = ()

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": self.model, "ls_model_type": "chat"}

    def _answer(self, messages: Sequence[BaseMessage]) -> AIMessage:
        answer = super()._answer(messages)
        usage = {"input_tokens": self.tokens, "output_tokens": 9, "total_tokens": self.tokens + 9}
        answered = sum(isinstance(message, AIMessage) for message in messages)
        reason = self.finish[answered] if self.finish else "stop"
        metadata = {**answer.response_metadata, "finish_reason": reason}
        return answer.model_copy(update={"usage_metadata": usage, "response_metadata": metadata})


def test_an_input_close_to_the_window_of_the_price_table(found: Found) -> None:
    run(Measured(script=lambda _: "It runs.", tokens=120_000))

    (one,) = found("context-pressure")

    assert one.summary == "write sent gpt-4o-mini 120,000 tokens, of the 128,000 that its context window has"
    assert one.rests_on == ("recorded", "metadata")


def test_an_input_that_leaves_room_in_the_window(found: Found) -> None:
    run(Measured(script=lambda _: "It runs.", tokens=60_000))

    assert found("context-pressure") == []


def test_a_call_that_the_provider_refuses_as_too_long(found: Found) -> None:
    error = RuntimeError("Error code: 400 - {'error': {'code': 'context_length_exceeded'}}")
    with pytest.raises(RuntimeError):
        run(failing(1, error))

    (one,) = found("context-pressure")

    assert (one.severity, one.confidence) == (Severity.ERROR, 1.0)


def test_an_answer_that_was_cut_off_and_used(found: Found) -> None:
    run(Measured(script=lambda _: "The tram", finish=("length",)))

    (one,) = found("truncated-output")

    assert one.severity is Severity.WARNING
    assert one.summary == "an answer of gpt-4o-mini to write was cut off, and used all the same"


def test_an_answer_that_was_cut_off_and_could_not_be_read(found: Found) -> None:
    model = Measured(script=lambda _: '{"text": "The tr', finish=("length",))
    with pytest.raises(ValueError, match="Unterminated"):
        run(lambda state: json.loads(ask(model, "You write.", "Write.")))

    (one,) = found("truncated-output")

    assert one.severity is Severity.ERROR
    assert one.summary.endswith("was cut off, and reading it failed (JSONDecodeError)")


def test_an_answer_that_was_cut_off_and_continued_is_fine(found: Found) -> None:
    model = Measured(script=lambda _: "The tram", finish=("length", "stop"))

    def write(state: State) -> State:
        messages: list[BaseMessage] = [HumanMessage("Write.")]
        first = model.invoke(messages)
        rest = model.invoke([*messages, first, HumanMessage("Go on.")])
        return {"text": f"{first.content}{rest.content}"}

    run(write)

    assert found("truncated-output") == []


# -- repetition --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("news", "number"), [(False, 1), (True, 0)])
def test_a_loop_in_which_the_model_says_the_same_each_time(news: bool, number: int, found: Found) -> None:
    model = ScriptedModel(script=lambda _: "The tram should run.")

    def write(state: Rounds) -> Rounds:
        at = state.get("round", 0)
        prompt = f"Write about the tram. Round {at}." if news else "Write about the tram."
        return {"text": ask(model, "You write.", prompt), "round": at + 1}

    graph = StateGraph(Rounds)
    graph.add_node("write", write)
    graph.add_edge(START, "write")
    graph.add_conditional_edges("write", lambda state: "write" if state["round"] < 4 else END, ["write", END])
    graph.compile(name="paper").invoke({})

    one_or_none = found("step-repetition")

    assert len(one_or_none) == number
    for one in one_or_none:
        assert one.summary == "write asked scripted-small 4 times with nothing new to it and got the same answer"


@pytest.mark.parametrize(("answers", "number"), [(("It runs.",) * 4, 1), (("It runs.", "It stops.") * 2, 0)])
def test_a_node_that_writes_the_same_to_the_state_each_time(answers: Sequence[str], number: int, found: Found) -> None:
    rounds = count()
    model = ScriptedModel(script=lambda messages: answers[int(str(messages[-1].content))])

    def write(state: State) -> State:
        return {"text": ask(model, "You write.", str(next(rounds)))}

    graph = StateGraph(State)
    graph.add_node("write", write)
    graph.add_edge(START, "write")
    left = iter(["write", "write", "write", END])
    graph.add_conditional_edges("write", lambda _: next(left), ["write", END])
    graph.compile(name="paper").invoke({"text": ""})

    one_or_none = found("step-repetition")

    assert len(one_or_none) == number
    for one in one_or_none:
        assert one.summary == "write ran 4 times and wrote the same each time, with no other change of the state"
