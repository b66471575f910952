"""What is found in texts quickly is what a search of everything finds."""

from __future__ import annotations

import random
from difflib import SequenceMatcher
from itertools import permutations

import pytest

from otel_mas.analyse.root_cause.garbled import _windows
from otel_mas.analyse.root_cause.known_numbers import KnownNumbers
from otel_mas.analyse.root_cause.known_texts import KnownTexts
from otel_mas.analyse.root_cause.passages import words_of
from otel_mas.analyse.root_cause.values import numbers_in


@pytest.mark.parametrize("seed", range(200))
def test_a_number_that_two_known_ones_make_follows_and_no_other_does(seed: int) -> None:
    chance = random.Random(seed)
    values = [
        chance.choice((0, chance.randint(-90, 900), chance.uniform(-5e4, 5e4))) for _ in range(chance.randint(2, 30))
    ]
    text = " ".join(f"{value:.2f}" for value in values)
    known = KnownNumbers()
    known.add(text, numbers_in(text))
    written = [float(number) for number in numbers_in(text)]
    one, other = chance.choice(written), chance.choice(written)
    for asked in (one * other, one + other, abs(one - other), chance.uniform(13, 1e6), chance.uniform(0.1, 0.9)):
        number = next(iter(numbers_in(f"{abs(asked):.3f}")))
        size, results = abs(float(number)), list[float]()
        for first, second in permutations(written, 2):
            results += [first + second, abs(first - second), first * second]
            results += [first / second] if second else []
        follows = any(abs(size - result) <= max(1 - 1e-12, 1e-6 * max(size, abs(result))) for result in results)
        is_asked = (size >= 1 and "." in number) or (size >= 13 and number.strip("0") != "1")
        assert list(known.unexplained([number])) == (
            [number] if is_asked and not follows and number not in known.all else []
        )


@pytest.mark.parametrize("seed", range(50))
def test_letters_counted_on_from_part_to_part_are_those_that_difflib_counts(seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choice("abc d") for _ in range(chance.randint(12, 40)))
    rest = "".join(chance.choice("abcde \n") for _ in range(200))
    windows = list(_windows(text, rest))
    assert [part for part, _ in windows] == [
        rest[match.start() : match.start() + len(text)].partition("\n")[0] for match in words_of(rest)
    ]
    for part, shared in windows:
        matcher = SequenceMatcher(None, part, text, autojunk=False)
        assert 2 * shared / (len(part) + len(text)) == pytest.approx(matcher.quick_ratio())


def test_a_text_that_is_written_after_it_was_read_is_taken_out_when_it_is_read_again() -> None:
    known = KnownTexts()
    known.add("The tide at the mole is 12.5 m today")
    read = known.passage("Ada reports: The tide at the mole is 12.5 m today. The depth of the harbour is 31.7 m. Done.")
    known.take_out(read)
    assert read.numbers_of_rest == {"31.7"}
    known.add("The depth of the harbour is 31.7 m")
    known.add("The depth of the harbour is 31.7")
    known.take_out(read)
    assert read.numbers_of_rest == frozenset()
    assert "depth" not in read.rest
