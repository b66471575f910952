"""The text form of an expected topology: parsing, and errors that point at the place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from otel_mas.errors import BadExpectation
from otel_mas.evaluate.topology.expectation import (
    AGENT,
    END,
    START,
    TASK,
    TOOL,
    Before,
    Cardinality,
    Count,
    Expectation,
    ExpectedEdge,
    Joins,
    NamePattern,
    NothingElse,
    Statement,
    Term,
)
from otel_mas.evaluate.topology.validation import validated
from otel_mas.semconv import LinkKind

_CHILD = "child"
_KINDS = (*(kind.value for kind in LinkKind), _CHILD)
_ALL_OF: Final[Mapping[str, str]] = {"agents": AGENT, "tasks": TASK, "tools": TOOL}
"""Names that stand in a set for all of a kind."""
_TERMS: Final = frozenset(("ANY", "END", "LBRACE", "NAME", "QUOTED", "START", "VARIABLE"))
"""Tokens that a term begins with."""
_EXPECTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_TERMS, "a name"),
    "ARROW": '"->"',
    "BEFORE": '"before"',
    "CALLS": '"=>"',
    "CARDINALITY": "a cardinality",
    "COLON": '":"',
    "COMMA": '","',
    "EACH": '"each"',
    "ELSE": '"else"',
    "JOINS": '"joins"',
    "NEVER": '"never"',
    "NOTHING": '"nothing"',
    "RBRACE": '"}"',
    "_SEPARATOR": '";"',
    "$END": "the end",
}
"""Tokens as a message calls them."""
_MOST_TEXT: Final = 200_000
"""Characters of an expectation: far more than any needs, and not more than can be parsed at once."""


def parse(text: str) -> Expectation:
    """Parse an expected topology, written as docs/topology.md describes.

    Raises:
        BadExpectation: It is not of the language; the message has line and column, and tells what was expected there.
    """
    if len(text) > _MOST_TEXT:
        raise BadExpectation(f"the expected topology has {len(text):,} characters: give {_MOST_TEXT:,} at most")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unexpected(error, text) from None
    parts = (part for part in tree.children if isinstance(part, Tree))
    statements = tuple(one for part in parts for one in _Reader(text).statements(part))
    if not statements:
        raise BadExpectation('the expected topology is empty: write a statement, such as "supervisor -> writer"')
    return validated(Expectation(statements))


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


class _Reader:
    """Makes statements of the tree that was parsed."""

    def __init__(self, text: str) -> None:
        self._text = text

    def statements(self, tree: Tree[Token]) -> Iterator[Statement]:
        """The statements that one in the text stands for: each edge of a chain is one."""
        if tree.data == "nothing_else":
            yield NothingElse()
            return
        lists = [self._list(part) for part in tree.find_data("list")]
        lists.sort(key=lambda one: one[0])
        terms = [found for _, found in lists]
        match tree.data:
            case "before" | "never_before":
                never = tree.data == "never_before"
                first, second = reversed(terms) if never else terms
                yield from (Before(one, other, never) for one, other in product(first, second))
            case "joins":
                yield from (Joins(one, other) for one, other in product(*terms))
            case "chain" | "each" | "never":
                yield from self._chain(tree, terms)

    def _chain(self, tree: Tree[Token], terms: list[list[Term]]) -> Iterator[Statement]:
        arrows = sorted(
            (token for part in tree.find_data("arrow") for token in part.children if isinstance(token, Token)),
            key=lambda token: token.start_pos or 0,
        )
        never, each = tree.data == "never", tree.data == "each"
        if not arrows:
            yield from (Count(one, never) for one in terms[0])
        for place, (arrow, (sources, targets)) in enumerate(zip(arrows, pairwise(terms), strict=True)):
            calls, kind = arrow == "=>", self._kind(arrow)
            if place and arrows[place - 1] == "=>":
                raise self._error('a tool leads to nothing: begin a new statement with ";"', arrow)
            # A cardinality belongs to the edge that leads to its term, that of the first term to the edge from it.
            causes = sources if place == 0 else [replace(one, cardinality=None) for one in sources]
            yield from (
                ExpectedEdge(source, target, kind, calls, each, never) for source, target in product(causes, targets)
            )

    def _kind(self, arrow: Token) -> str | None:
        kind = arrow.strip("->=")
        if kind and kind not in _KINDS:
            raise self._error(f'"{kind}" is no kind of cause: give one of {", ".join(_KINDS)}', arrow)
        return kind or None

    def _list(self, tree: Tree[Token]) -> tuple[int, list[Term]]:
        return tree.meta.start_pos, [self._term(part) for part in tree.children if isinstance(part, Tree)]

    def _term(self, tree: Tree[Token]) -> Term:
        atom, *rest = tree.children
        cardinality = self._cardinality(rest[0]) if rest and isinstance(rest[0], Token) else None
        if isinstance(atom, Token):
            names = () if atom.type in (START, END) else (_name(atom),)
            return Term(str(atom), names, None, cardinality)
        tokens = [token for token in atom.children if isinstance(token, Token)]
        if atom.data == "set":
            return Term(f"{{{', '.join(tokens)}}}", tuple(map(_member, tokens)), None, cardinality)
        variable, *pattern = tokens
        names = (_name(pattern[0]) if pattern else NamePattern("*", wildcards=True),)
        return Term(":".join(tokens), names, variable.removeprefix("$"), cardinality)

    def _cardinality(self, token: Token) -> Cardinality:
        known = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(str(token))
        if known is not None:
            return Cardinality(*known)
        least, comma, most = token.strip("{}").partition(",")
        low = int(least) if least.strip() else 0
        high = (int(most) if most.strip() else None) if comma else low
        if high is not None and high < low:
            raise self._error(f"no number is at least {low} and at most {high}", token)
        return Cardinality(low, high)

    def _error(self, problem: str, token: Token) -> BadExpectation:
        return _pointed(problem, self._text, token.start_pos or 0)


def _name(token: Token) -> NamePattern:
    """A name as it is written: in quotes `*` is a wildcard, and a backslash takes the next character as it is."""
    if token.type == "ANY":
        return NamePattern("*", wildcards=True)
    kind, colon, text = token.partition(":")
    if not colon or kind not in (AGENT, TASK, TOOL):
        kind, text = "", str(token)
    if text.startswith('"'):
        return NamePattern(text[1:-1], kind or None, wildcards=True)
    return NamePattern(text, kind or None)


def _member(token: Token) -> NamePattern:
    if token in _ALL_OF:
        return NamePattern("*", _ALL_OF[token], wildcards=True)
    return _name(token)


def _unexpected(error: UnexpectedInput, text: str) -> BadExpectation:
    """The error of the parser in words, with all that may stand in the place."""
    place = error.pos_in_stream or 0
    allowed: Collection[str] = ()
    found = "the end"
    if isinstance(error, UnexpectedCharacters):
        found, allowed = f'"{text[place]}"', error.allowed or ()
    elif isinstance(error, UnexpectedToken):
        allowed = error.accepts or error.expected
        if error.token.type == "$END":
            place = len(text.rstrip())
        else:
            found = f'"{error.token.strip() or "a new line"}"'
    expected = sorted({_EXPECTED.get(one, one) for one in allowed})
    choice = " or ".join(filter(None, (", ".join(expected[:-1]), expected[-1]))) if expected else "something else"
    return _pointed(f"{found} stands where {choice} is expected", text, place)


def _pointed(problem: str, text: str, place: int) -> BadExpectation:
    """An error with its place in the text; a note shows the line with a mark under it."""
    line = text.count("\n", 0, place) + 1
    begin = text.rfind("\n", 0, place) + 1
    column = place - begin + 1
    shown = text[begin:].split("\n", 1)[0]
    error = BadExpectation(f"expected topology, line {line}, column {column}: {problem}")
    error.add_note(f"  {shown}\n  {' ' * (column - 1)}^")
    return error


__all__ = ["parse"]
