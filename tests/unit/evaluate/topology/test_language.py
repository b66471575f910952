"""The language of expected topologies: what is read, and the errors of what cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.errors import BadExpectation
from otel_mas.evaluate.topology import parse
from otel_mas.evaluate.topology.expectation import (
    Before,
    Cardinality,
    Count,
    Expectation,
    ExpectedEdge,
    Joins,
    NamePattern,
    NothingElse,
    Term,
)


def _term(name: str, cardinality: Cardinality | None = None) -> Term:
    return Term(name, (NamePattern(name),), None, cardinality)


def test_each_edge_of_a_chain_is_a_statement() -> None:
    expected = parse("supervisor -> researcher{2} -handoff-> writer => search*")

    assert expected.statements == (
        ExpectedEdge(_term("supervisor"), _term("researcher", Cardinality(2, 2))),
        ExpectedEdge(_term("researcher"), _term("writer"), kind="handoff"),
        ExpectedEdge(_term("writer"), _term("search", Cardinality(0, None)), calls=True),
    )


def test_lists_stand_for_each_of_their_terms_and_sets_for_any() -> None:
    expected = parse("a, b -> {c, d}; never e before f; e before f; g joins h+; never i; nothing else")
    both = Term("{c, d}", (NamePattern("c"), NamePattern("d")))

    assert expected.statements == (
        ExpectedEdge(_term("a"), both),
        ExpectedEdge(_term("b"), both),
        Before(_term("f"), _term("e"), never=True),
        Before(_term("e"), _term("f")),
        Joins(_term("g"), _term("h", Cardinality(1, None))),
        Count(_term("i"), never=True),
        NothingElse(),
    )


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [("*", 0, None), ("+", 1, None), ("?", 0, 1), ("{3}", 3, 3), ("{2,5}", 2, 5), ("{2,}", 2, None), ("{,5}", 0, 5)],
)
def test_cardinalities(written: str, least: int, most: int | None) -> None:
    (edge,) = parse(f"a -> b {written}").statements

    assert isinstance(edge, ExpectedEdge)
    assert edge.target.bounds == Cardinality(least, most)


@pytest.mark.parametrize(
    ("name", "fitting", "others"),
    [
        ("writer", ["writer", "team/writer"], ["writers", "rewriter", "writer/model"]),
        ("team/writer", ["team/writer", "a/team/writer"], ["writer", "team/x/writer"]),
        ("/writer", ["writer"], ["team/writer"]),
        ('"write_*"', ["write_", "write_it", "team/write_it"], ["write", "write_it/model", "rewrite_it"]),
        ('"/write_*"', ["write_it"], ["team/write_it"]),
        ('"a \\* b"', ["a * b"], ["a x b"]),
        ('"*"', ["anything", "in/any"], []),
        ("write-it.now", ["write-it.now"], ["write-it_now"]),
        ("Überprüfung", ["Überprüfung"], ["Uberprufung"]),
    ],
)
def test_names_fit_the_ends_of_paths(name: str, fitting: list[str], others: list[str]) -> None:
    (statement,) = parse(name).statements
    assert isinstance(statement, Count)
    (pattern,) = statement.term.names

    assert [one for one in [*fitting, *others] if pattern.fits(one)] == fitting


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a -> ", 1, 5, "the end stands where a name is expected"),
        ("a = b", 1, 3, '"=" stands where ",", "->"'),
        ("a -> b\n  -> c", 2, 3, '"->" stands where'),
        ("a -> b; c -> {d", 1, 16, 'the end stands where "," or "}" is expected'),
        ("a -> b => c -> d", 1, 13, "a tool leads to nothing"),
        ("a -sent-> b", 1, 3, '"sent" is no kind of cause: give one of trigger, send'),
        ("a -> b{5,2}", 1, 7, "no number is at least 5 and at most 2"),
        ("researcher#1 -> b", 1, 11, '"#" stands where'),
        ("nothing", 1, 8, 'the end stands where "else" is expected'),
        ("# first\n\na b", 3, 3, '"b" stands where'),
    ],
)
def test_an_error_has_the_place_and_what_is_expected_there(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(BadExpectation) as caught:
        parse(text)

    assert str(caught.value).startswith(f"expected topology, line {line}, column {column}: ")
    assert message in str(caught.value)
    (note,) = caught.value.__notes__
    shown, mark = note.splitlines()
    assert shown == "  " + text.splitlines()[line - 1]
    assert mark.index("^") == column + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty: write a statement"),
        ("# only a comment", "is empty"),
        ("START", "START may stand only at the end of an edge"),
        ("a -> START", "nothing comes before START"),
        ("END -> a", "nothing comes after END"),
        ("START => search", "START stands alone"),
        ("a -> b -> END{2}", "END stands alone"),
        ("a -send-> END", "no cause of a kind leads to END"),
        ("a -> tool:search", "write =>"),
        ("tool:search => a", "write =>"),
        ("a => agent:b", "write ->"),
        ("never a -> b{2}", "has no number"),
        ("never a+", "has no number"),
        ("a{2} before b", "leave {2} out"),
        ("a+ joins b", "leave + out"),
        ("a joins tool:b", "may not stand there"),
        ("never $x -> b", "a variable stands for one node"),
        ("each $x -> b", "a variable stands for one node"),
        ("$x -> b*", "has to be there"),
        ("a => $x", "a variable stands for an agent or a task"),
        ("$x before b", "may stand only in edges"),
        ("$x -> b; nothing else", "a variable would stand for anything else"),
        ("a" * 300_000, "characters"),
    ],
)
def test_what_means_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadExpectation, match=r".") as caught:
        parse(text)

    assert message in str(caught.value)


# -- properties --------------------------------------------------------------------------------------------------------

_names = st.one_of(
    st.from_regex(r"(?:(?:agent|task):)?/?[a-z_]\w{0,5}(?:[.-]\w{1,3})?(?:/\w{1,4})?", fullmatch=True),
    st.from_regex(r'"[a-z*. /-]{1,6}"', fullmatch=True),
    st.just("*"),
    st.lists(st.from_regex(r"[a-z]\w{0,5}", fullmatch=True), min_size=1, max_size=3).map(
        lambda x: f"{{{', '.join(x)}}}"
    ),
).filter(lambda name: name not in ("never", "each", "before", "joins", "nothing", "else"))
_cardinalities = st.one_of(
    st.sampled_from(["", "*", "+", "?"]),
    st.integers(0, 9).map(lambda n: f"{{{n}}}"),
    st.tuples(st.integers(0, 3), st.integers(3, 9)).map(lambda n: f"{{{n[0]},{n[1]}}}"),
    st.integers(0, 9).map(lambda n: f"{{{n},}}"),
)
_terms = st.tuples(_names, _cardinalities).map("".join)
_arrows = st.sampled_from([" -> ", " -handoff-> ", " -send->"])
_chains = st.tuples(_terms, _arrows, _terms, _arrows, _terms).map("".join)
_statements = st.one_of(
    _terms,
    _chains,
    st.tuples(_terms, st.just(" => "), st.sampled_from(["search", "{tools}*", "tool:search{2}"])).map("".join),
    st.tuples(st.just("never "), _names, st.just(" before "), _names).map("".join),
    st.tuples(_names, st.just(" joins "), _terms).map("".join),
    st.tuples(st.just("each "), _terms, st.just(" -> "), _terms).map("".join),
    st.just("nothing else"),
    st.just("START -> a -> $x -> $y -> b -> END"),
)


@given(
    st.lists(_statements.filter(lambda text: "$" not in text), min_size=1, max_size=4),
    st.sampled_from(["; ", "\n", " ;\n\n# more\n"]),
)
def test_the_text_of_an_expectation_is_read_as_the_same(statements: list[str], separator: str) -> None:
    expected = parse(separator.join(statements))

    assert parse(str(expected)) == expected


@given(st.text(alphabet='ab->=;{}*+?,$" \n#:/neverjoins', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expected = parse(text)
    except BadExpectation:
        return
    assert isinstance(expected, Expectation)
    assert parse(str(expected)) == expected
