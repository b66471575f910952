"""Guardrails and model routers among the middleware of `create_agent`: what each checked and decided.

A guardrail is recognised by its public form, never by the name of a node: a hook (`before_agent`, `before_model`,
`after_model`, `after_agent`) that declares that it can end the agent (`can_jump_to=["end"]`), or any hook of the
guardrails that LangChain brings itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from otel_mas.instrumentation.langgraph.routing import record_decision
from otel_mas.record import field_of, items_of, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import GuardrailTarget, RecordKind, Verdict

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.record import Recorder

_HOOKS: Final = {
    "before_agent": GuardrailTarget.INPUT,
    "before_model": GuardrailTarget.INPUT,
    "after_model": GuardrailTarget.OUTPUT,
    "after_agent": GuardrailTarget.OUTPUT,
}
# Guardrails by class, wherever their hooks lead, what they find, and the exceptions by which they block.
_PII: Final = ("langchain.agents.middleware", "PIIMiddleware")
_MODERATION: Final = ("langchain_openai.middleware", "OpenAIModerationMiddleware")
_KNOWN: Final = (_PII, _MODERATION)
_CATEGORIES: Final = ((_PII, "pii"), (_MODERATION, "moderation"))
_MODEL_ROUTER: Final = ("langchain.agents.middleware.model_router", "ModelRouterMiddleware")
_ROUTE: Final = "model_route"  # the field of the agent's state in which it keeps the decision model's answer
_BLOCKING: Final = frozenset({"PIIDetectionError", "OpenAIModerationError"})
# Their settings that switch checks on.
_SWITCHES: Final = {
    GuardrailTarget.INPUT: ("apply_to_input", "apply_to_tool_results", "check_input", "check_tool_results"),
    GuardrailTarget.OUTPUT: ("apply_to_output", "check_output"),
}
_NONE: Final[Mapping[str, GuardrailNode | ModelRouterNode]] = {}


class GuardrailNode(NamedTuple):
    """A node of an agent that is a guardrail."""

    name: str
    target: GuardrailTarget
    category: str | None


class ModelRouterNode(NamedTuple):
    """A node of an agent that chooses its model (`ModelRouterMiddleware`)."""

    name: str
    candidates: tuple[str, ...]


_CHECKS: WeakKeyDictionary[Any, Mapping[str, GuardrailNode | ModelRouterNode]] = WeakKeyDictionary()


def checks_of(graph: Any) -> Mapping[str, GuardrailNode | ModelRouterNode]:
    """The guardrails and model routers of a graph, by node; looked up once for each graph."""
    types = sys.modules.get("langchain.agents.middleware.types")
    builder = getattr(graph, "builder", None)
    if types is None or builder is None:
        return _NONE
    found = _CHECKS.get(builder)
    if found is None:
        nodes = getattr(graph, "nodes", _NONE).items()
        found = {name: check for name, node in nodes if (check := _check(node, types.AgentMiddleware)) is not None}
        _CHECKS[builder] = found = found or _NONE
    return found


def _check(node: Any, middleware_class: Any) -> GuardrailNode | ModelRouterNode | None:
    runnable = getattr(node, "bound", None)
    methods = [getattr(runnable, name, None) for name in ("func", "afunc")]
    middleware: Any = next((one for one in (getattr(method, "__self__", None) for method in methods) if one), None)
    if not isinstance(middleware, middleware_class):
        return None
    hook = next((hook for hook in _HOOKS if _is(middleware, hook, methods)), None)
    if hook == "before_agent" and _is_a(middleware, (_MODEL_ROUTER,)):
        return ModelRouterNode(_name(middleware), tuple(map(str, middleware.models)))
    if hook is None or not (_is_a(middleware, _KNOWN) or _can_end(middleware, hook)):
        return None
    target = _HOOKS[hook]
    switches = [on for name in _SWITCHES[target] if (on := getattr(middleware, name, None)) is not None]
    if switches and not any(switches):
        return None
    category = next((category for kind, category in _CATEGORIES if _is_a(middleware, (kind,))), None)
    return GuardrailNode(_name(middleware), target, category)


def _name(middleware: Any) -> str:
    return str(getattr(middleware, "name", type(middleware).__name__))


def _is(middleware: Any, hook: str, methods: list[Any]) -> bool:
    return any(
        method is not None and method in (getattr(middleware, hook), getattr(middleware, f"a{hook}"))
        for method in methods
    )


def _is_a(middleware: Any, classes: Iterable[tuple[str, str]]) -> bool:
    known = (getattr(sys.modules.get(module), name, None) for module, name in classes)
    return any(kind is not None and isinstance(middleware, kind) for kind in known)


def _can_end(middleware: Any, hook: str) -> bool:
    return any("end" in getattr(getattr(middleware, name), "__can_jump_to__", ()) for name in (hook, f"a{hook}"))


def record_check(
    recorder: Recorder,
    span: Span,
    task: Any,
    conversation: str | None,
    check: GuardrailNode | ModelRouterNode,
    exc: BaseException | None,
) -> None:
    """Record the decision of a guardrail or a model router, from its task's writes or exception, as a span below."""
    if not span.is_recording():
        return
    if isinstance(check, ModelRouterNode):
        answer = dict(task.writes).get(_ROUTE)
        choice, confidence = field_of(answer, "choice"), field_of(answer, "confidence")
        if type(choice) is str:
            sure = confidence if type(confidence) is float else None
            record_decision(recorder, span, conversation, check.name, (choice,), check.candidates, None, sure)
        return
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: RecordKind.GUARDRAIL.value,
        names.MAS_GUARDRAIL_NAME: check.name,
        names.MAS_GUARDRAIL_TARGET: check.target.value,
    }
    if check.category is not None:
        attributes[names.MAS_GUARDRAIL_CATEGORY] = check.category
    if conversation is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = conversation
    verdict, reason = _verdict(dict(task.writes), exc)
    if verdict is not None:
        attributes[names.MAS_GUARDRAIL_VERDICT] = verdict.value
    guardrail = recorder.start_span(f"guardrail {check.name}", attributes, parent=span)
    if reason is not None:
        recorder.content(guardrail, names.MAS_GUARDRAIL_REASON, reason)
    guardrail.end()


def _verdict(written: Mapping[str, Any], exc: BaseException | None) -> tuple[Verdict | None, Any]:
    """The verdict and its reason; no verdict where it is not known."""
    if exc is not None:
        blocking = any(kind.__name__ in _BLOCKING for kind in type(exc).__mro__)
        return (Verdict.BLOCK, str(exc)) if blocking else (None, None)
    messages = written.get("messages")
    jumped = written.get("jump_to")
    if text_of(jumped) == "end":
        last = (items_of(messages) or [messages])[-1]
        return Verdict.BLOCK, field_of(last, "content")
    if jumped is not None:
        return None, None
    return (Verdict.PASS if messages is None else Verdict.MODIFIED), None


__all__ = ["GuardrailNode", "ModelRouterNode", "checks_of", "record_check"]
