"""Fallback where our hooks do not fit: model calls by LangChain's public callbacks. Same spans, at more cost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from otel_mas.instrumentation.callback_handler import CallbackFallback
from otel_mas.instrumentation.langchain.models import HANDLER


def _handler() -> Any:
    from langchain_core.callbacks import BaseCallbackHandler

    class Handler(BaseCallbackHandler):
        """Handles models only; ignoring the rest costs LangChain nothing."""

        run_inline = True  # an async run would otherwise put every event onto a thread pool
        ignore_chain = ignore_retriever = ignore_retry = ignore_custom_event = ignore_agent = True

        def on_chat_model_start(
            self, serialized: Any, messages: Any, *, run_id: UUID, metadata: Any = None, **kwargs: Any
        ) -> None:
            if MODELS_FALLBACK.recording:
                HANDLER.on_chat_model_start(serialized, messages[0] if messages else [], run_id, metadata, kwargs)

        def on_llm_start(
            self, serialized: Any, prompts: Any, *, run_id: UUID, metadata: Any = None, **kwargs: Any
        ) -> None:
            if MODELS_FALLBACK.recording:
                HANDLER.on_llm_start(serialized, prompts[0] if prompts else "", run_id, metadata, kwargs)

        def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> None:
            HANDLER.on_chunk(run_id)

        def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
            HANDLER.on_llm_end(response, run_id)

        def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
            HANDLER.on_llm_error(error, run_id, kwargs.get("response"))

    return Handler()


MODELS_FALLBACK = CallbackFallback(_handler)

__all__ = ["MODELS_FALLBACK"]
