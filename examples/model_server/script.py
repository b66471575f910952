"""The scripted model's answers: each depends on its request alone, never on the order of requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from examples.model_server.protocol import Request, text_of

SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are be can do does for from have how in is it its of on or our should that the their there this to"
        " was we what when which who why will with would you your",
    )
)
TOPICS = {
    "Where it stands": ("closed", "stands", "length", "motion"),
    "What it costs": ("cost", "million", "months", "needs", "deck"),
    "Who it serves": ("passengers", "day", "travel", "signatures", "visitors", "drivers", "hold"),
    "What could go wrong": ("fear", "noise", "crossing"),
}
"""Heading of a section → words of the facts that belong in it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()


def answer(request: Request) -> Answer:
    """Tool calls if the request wants them, JSON if it has a schema, else text by the system prompt's role."""
    random = Random(request.digest)
    tools = _requested_tools(request)
    if tools:
        return Answer(tool_calls=tuple(_call(tool, at, request, random) for at, tool in enumerate(tools)))
    schema = _schema(request)
    if schema is not None:
        return Answer(json.dumps(_fill(schema, schema, "", request, random), ensure_ascii=False))
    system = "\n".join(text_of(message) for message in request.messages if message["role"] in ("system", "developer"))
    for words, role in ROLES:
        if words in system.lower():
            return Answer(role(request, random))
    return Answer(_listing(request, random))


def _requested_tools(request: Request) -> list[Mapping[str, Any]]:
    choice = request.tool_choice
    if isinstance(choice, dict):
        return [tool for tool in request.tools if tool["function"]["name"] == choice["function"]["name"]]
    wanted = choice == "required" or request.messages[-1]["role"] == "user"
    if choice == "none" or not wanted:
        return []
    return list(request.tools if request.parallel_tool_calls else request.tools[:1])


def _call(tool: Mapping[str, Any], at: int, request: Request, random: Random) -> ToolCall:
    function = tool["function"]
    schema = function.get("parameters") or {"type": "object"}
    arguments = json.dumps(_fill(schema, schema, "", request, random), ensure_ascii=False)
    return ToolCall(f"call_{request.digest[:20]}{at:02}", function["name"], arguments)


def _schema(request: Request) -> Mapping[str, Any] | None:
    response_format = request.response_format or {}
    if response_format.get("type") == "json_schema":
        schema: Mapping[str, Any] = response_format["json_schema"]["schema"]
        return schema
    return {"type": "object"} if response_format.get("type") == "json_object" else None


def _fill(schema: Mapping[str, Any], root: Mapping[str, Any], name: str, request: Request, random: Random) -> Any:
    """Make a value that is valid under a JSON schema out of the request's words."""
    if "$ref" in schema:
        return _fill(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root, name, request, random)
    if "anyOf" in schema:
        return _fill(schema["anyOf"][0], root, name, request, random)
    if "const" in schema:
        return schema["const"]
    if name == "binary_score":
        return "yes" if _facts(_question(request)) else "no"
    if "enum" in schema:
        return _next_of(schema["enum"], request)
    match schema.get("type"):
        case "object":
            inner = schema.get("properties") or {}
            return {key: _fill(value, root, key, request, random) for key, value in inner.items()}
        case "array" if name == "headings":
            return list(TOPICS)
        case "array":
            return [_fill(schema.get("items") or {}, root, name, request, random) for _ in range(2)]
        case "integer":
            return random.randint(1, 9)
        case "number":
            return round(random.random(), 2)
        case "boolean":
            return random.random() < 0.5
        case "null":
            return None
        case _:
            return _reason(request) if name == "reason" else " ".join(_keywords(_question(request))[:8])


def _next_of(options: list[Any], request: Request) -> Any:
    """First option that has not spoken yet, so that a supervisor asks each member of its team in turn."""
    speakers = _speakers(request)
    return next((option for option in options if option not in speakers), options[-1])


def _reason(request: Request) -> str:
    prompt, speakers = _question(request), _speakers(request)
    if "\nFacts:\n" in prompt:
        facts = _facts(prompt)
        return f"{len(facts)} facts bear on the question." if facts else "Nothing that was found bears on the question."
    return f"We have heard from {' and '.join(speakers)}." if speakers else "Nobody has looked into it yet."


def _speakers(request: Request) -> list[str]:
    names = [message.get("name") for message in request.messages if message["role"] == "assistant"]
    return list(dict.fromkeys(name for name in names if name))


def _question(request: Request) -> str:
    return next((text_of(message) for message in reversed(request.messages) if message["role"] == "user"), "")


def _keywords(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text) if word.lower() not in SMALL_WORDS]


def _facts(text: str) -> list[str]:
    """Items of the bullet lists in a text."""
    return list(dict.fromkeys(line.strip()[2:] for line in text.splitlines() if line.strip().startswith("- ")))


def _field(name: str, text: str) -> str:
    found = re.search(rf"^{name}: (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def _listing(request: Request, random: Random) -> str:
    """Facts in the tools' results, one a line; a plain reply if there are none."""
    facts = _facts("\n".join(text_of(message) for message in request.messages if message["role"] == "tool"))
    if facts:
        return "\n".join(f"- {fact}" for fact in facts)
    return f"I have nothing on record about {' '.join(_keywords(_question(request))[:8]) or 'that'}."


def _section(request: Request, random: Random) -> str:
    """Facts that belong under the heading, in the prompt's order; sections differ a lot in length."""
    prompt = _question(request)
    topic = TOPICS.get(_field("Section", prompt), ())
    facts = [fact for fact in _facts(prompt) if not topic or set(topic) & set(re.findall(r"\w+", fact.lower()))]
    opening = random.choice(("On record:", "What we know:", "In short:"))
    text = " ".join(facts) or "nothing that bears on this was found."
    revised = f" (Revised: {_field('Wish', prompt)}.)" if _field("Wish", prompt) else ""
    return f"{opening} {text}{revised}"


def _summary(request: Request, random: Random) -> str:
    prompt = _question(request)
    sections = re.findall(r"^## (.+)$", prompt, re.MULTILINE)
    verdict = random.choice(("there is a case for it, with conditions", "it can be done, but not cheaply"))
    return (
        f"Asked: {_field('Question', prompt)} The short answer is that {verdict}."
        f" The report looks at {len(sections)} sides of it: {'; '.join(sections).lower()}."
    )


def _headline(request: Request, random: Random) -> str:
    question = _field("Question", _question(request))
    return f"{question} {random.choice(('What we found', 'The findings', 'What speaks for it, and what against'))}"


ROLES: tuple[tuple[str, Callable[[Request, Random], str]], ...] = (
    ("one section", _section),
    ("sum up", _summary),
    ("headline", _headline),
)
"""Words in the system prompt → function that answers; the first match wins."""
