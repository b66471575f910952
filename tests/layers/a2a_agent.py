"""An agent that is called by the A2A protocol: `python -m tests.layers.a2a_agent PORT`."""

import sys

import uvicorn
from a2a.helpers import new_text_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill
from starlette.applications import Starlette

from tests.layers.agents import agent

GRAPH = agent("helper")


class Executor(AgentExecutor):
    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        found = await GRAPH.ainvoke({"text": context.get_user_input()})
        await event_queue.enqueue_event(new_text_message(found["text"]))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None: ...


def card(port: int) -> AgentCard:
    return AgentCard(
        name="helper",
        description="answers",
        version="1",
        default_input_modes=["text"],
        default_output_modes=["text"],
        capabilities=AgentCapabilities(streaming=False),
        supported_interfaces=[
            AgentInterface(protocol_binding="JSONRPC", url=f"http://127.0.0.1:{port}/rpc", protocol_version="1.0")
        ],
        skills=[AgentSkill(id="answer", name="answer", description="answers", tags=["answers"])],
    )


def app(port: int) -> Starlette:
    found = card(port)
    handler = DefaultRequestHandler(agent_executor=Executor(), task_store=InMemoryTaskStore(), agent_card=found)
    return Starlette(routes=[*create_agent_card_routes(found), *create_jsonrpc_routes(handler, "/rpc")])


if __name__ == "__main__":
    uvicorn.run(app(int(sys.argv[1])), port=int(sys.argv[1]), log_level="warning")
