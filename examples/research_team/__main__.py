"""Ask the team: `python -m examples.research_team "a question" --thread T`, then `--thread T --resume approve`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command
from openai import DefaultHttpxClient

from examples.model_server import ModelServer
from examples.research_team.models import Models
from examples.research_team.team import build_team

QUESTION = "Should Elmstead reopen its tram line?"


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    with ExitStack() as stack:
        url = options.model_url
        if url is None and not options.live:
            url = stack.enter_context(ModelServer()).url
        # Bypass the proxies of the environment for a server on this machine only.
        direct = None if url is None else stack.enter_context(DefaultHttpxClient(trust_env=False))
        saver = stack.enter_context(SqliteSaver.from_conn_string(options.db))
        team = build_team(Models(url=url, http_client=direct, seed=options.seed), saver)
        config: RunnableConfig = {"configurable": {"thread_id": options.thread}}
        if options.resume is None:
            return ask(team, config, options.question or QUESTION)
        return resume(team, config, options.resume)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.research_team", description=__doc__)
    parser.add_argument("question", nargs="?", help=f"what to find out (default: {QUESTION!r})")
    parser.add_argument("--thread", default="1", help="the conversation (default: 1)")
    parser.add_argument("--db", default="checkpoints.sqlite", help="file of the conversations")
    parser.add_argument("--resume", metavar="DECISION", help='"approve", or what should be different')
    parser.add_argument("--seed", type=int, default=7, help="given to the model (default: 7)")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--live", action="store_true", help="talk to OpenAI, with OPENAI_API_KEY")
    target.add_argument(
        "--model-url", metavar="URL", help="a model server on this machine, instead of one started here"
    )
    options = parser.parse_args(arguments)
    if options.question and options.resume:
        parser.error("a question starts a conversation, --resume goes on with one: give one of them")
    if options.live and not os.environ.get("OPENAI_API_KEY"):
        parser.error("--live needs OPENAI_API_KEY")
    return options


def ask(team: CompiledStateGraph[Any, Any, Any, Any], config: RunnableConfig, question: str) -> int:
    if team.get_state(config).values:
        return fail(f"Thread {thread(config)!r} has been used: --thread another, or --resume this one.")
    print(f"Question: {question}", flush=True)
    return stream(team, config, {"question": question, "messages": [HumanMessage(question)]})


def resume(team: CompiledStateGraph[Any, Any, Any, Any], config: RunnableConfig, decision: str) -> int:
    if not team.get_state(config).interrupts:
        return fail(f"Nobody waits for a decision in thread {thread(config)!r}.")
    print(f"Decision: {decision}", flush=True)
    return stream(team, config, Command(resume=decision))


def stream(team: CompiledStateGraph[Any, Any, Any, Any], config: RunnableConfig, graph_input: Any) -> int:
    """Run the team until it is done or needs a human, and print each update."""
    for update in team.stream(graph_input, config, stream_mode="updates"):
        for node, change in update.items():
            print_update(node, change)
    state = team.get_state(config)
    if state.interrupts:
        question = state.interrupts[0].value
        print(f"\n{question['report']}\n\n{question['ask']} Answer with --thread {thread(config)} --resume approve")
        return 0
    if "headline" in state.values:
        print(f"\nPublished: {state.values['headline']}")
    else:
        print("\nThere is nothing to publish.")
    return 0


def print_update(node: str, change: Any) -> None:
    if node == "supervisor":
        print(f"supervisor: {change['next']} is next. {change['reason']}", flush=True)
    elif node == "relevance":
        print(f"relevance: {change['relevant']}. {change['reason']}", flush=True)
    elif node == "__interrupt__":
        print("approval: waiting for a human", flush=True)
    else:
        print(f"{node}: done", flush=True)


def thread(config: RunnableConfig) -> str:
    return str(config["configurable"]["thread_id"])


def fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
