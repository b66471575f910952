"""The functional API pauses: in a `@task`, in the `@entrypoint` itself, in threads and in coroutines."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.types import Command, interrupt

from tests.accuracy.cases.case import Run, case


@task
def step() -> str:
    return "step"


@task
async def astep() -> str:
    return "step"


@task
async def aapprove() -> Any:
    return interrupt("Go on?")


@case(
    """
    START --trigger--> flow, flow@2
    flow --resume--> flow@2
    flow --call--> step
    flow@2 is answered
    flow: interrupted, ok
    START: interrupted, ok
    """,
    Run("x"),
    Run(Command(resume="yes")),
)
def entrypoint_that_asks() -> Any:
    """It is the entrypoint that pauses and is answered; the task before the question is not called again."""

    @entrypoint(InMemorySaver())
    def flow(given: Any) -> Any:
        return [step().result(), interrupt("Go on?")]

    return flow


@case(
    """
    START --trigger--> flow, flow@2
    flow --resume--> flow@2
    flow --call--> astep
    flow@2 is answered
    flow: interrupted, ok
    START: interrupted, ok
    """,
    Run("x"),
    Run(Command(resume="yes")),
    only="async",
)
def coroutine_entrypoint_that_asks() -> Any:
    @entrypoint(InMemorySaver())
    async def flow(given: Any) -> Any:
        return [await astep(), interrupt("Go on?")]

    return flow


@case(
    """
    START --trigger--> flow, flow@2
    flow --resume--> flow@2
    flow --call--> astep, aapprove
    flow@2 --call--> aapprove@2
    aapprove --resume--> aapprove@2
    aapprove@2 is answered
    flow, aapprove: interrupted, ok
    START: interrupted, ok
    """,
    Run("x"),
    Run(Command(resume="yes")),
    only="async",
)
def coroutine_task_that_asks() -> Any:
    @entrypoint(InMemorySaver())
    async def flow(given: Any) -> Any:
        return [await astep(), await aapprove()]

    return flow
