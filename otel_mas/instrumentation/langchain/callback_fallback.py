"""Model calls as LangChain's public callbacks tell of them, where our hooks do not fit: same spans, more cost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from otel_mas.instrumentation.callback_handler import PublicHandler
from otel_mas.instrumentation.langchain.models import HANDLER


class PublicModels(PublicHandler):
    """The handler, while it is needed."""

    def _handler(self) -> Any:
        return _handler(self)


def _handler(models: PublicModels) -> Any:
    from langchain_core.callbacks import BaseCallbackHandler

    class Handler(BaseCallbackHandler):
        """LangChain's form of it. Everything but models is ignored, which costs LangChain nothing."""

        run_inline = True  # an async run would otherwise put every event onto a thread pool
        ignore_chain = ignore_retriever = ignore_retry = ignore_custom_event = ignore_agent = True

        def on_chat_model_start(
            self, serialized: Any, messages: Any, *, run_id: UUID, metadata: Any = None, **said: Any
        ) -> None:
            if models.listening:
                HANDLER.on_chat_model_start(serialized, messages[0] if messages else [], run_id, metadata, said)

        def on_llm_start(
            self, serialized: Any, prompts: Any, *, run_id: UUID, metadata: Any = None, **said: Any
        ) -> None:
            if models.listening:
                HANDLER.on_llm_start(serialized, prompts[0] if prompts else "", run_id, metadata, said)

        def on_llm_new_token(self, token: Any, *, run_id: UUID, **said: Any) -> None:
            HANDLER.on_chunk(run_id)

        def on_llm_end(self, response: Any, *, run_id: UUID, **said: Any) -> None:
            HANDLER.on_llm_end(response, run_id)

        def on_llm_error(self, error: BaseException, *, run_id: UUID, **said: Any) -> None:
            HANDLER.on_llm_error(error, run_id, said.get("response"))

    return Handler()


MODELS = PublicModels()

__all__ = ["MODELS", "PublicModels"]
