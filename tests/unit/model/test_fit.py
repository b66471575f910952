"""Values that are too large are shortened, say so, and are still JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.model.fit import fit, fit_messages

LIMIT = 400
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=600)),
    lambda inner: st.one_of(st.lists(inner, max_size=30), st.dictionaries(st.text(max_size=50), inner, max_size=10)),
    max_leaves=30,
)


def text_message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


@given(values)
def test_any_value_fits_and_is_json(value: Any) -> None:
    text, cut = fit(value, LIMIT)

    assert len(text.encode()) <= LIMIT
    assert (json.loads(text) == value) is not cut


@given(
    st.lists(
        st.builds(text_message, st.sampled_from(["user", "assistant"]), st.text(max_size=900)), min_size=1, max_size=9
    )
)
def test_any_messages_fit_and_are_messages(messages: list[dict[str, Any]]) -> None:
    text, cut = fit_messages(messages, LIMIT)

    assert len(text.encode()) <= LIMIT
    assert (json.loads(text) == messages) is not cut
    assert all({"role", "parts"} <= set(message) for message in json.loads(text))


def test_a_long_text_keeps_its_beginning_and_the_number_of_cut_characters() -> None:
    text, _ = fit({"query": "x" * 1000}, LIMIT)

    assert json.loads(text) == {"query": f"{'x' * 128}… (cut: 872 more characters)"}


def test_of_many_messages_the_first_and_the_latest_stay_and_the_rest_is_counted() -> None:
    messages = [text_message("user", f"message {number}") for number in range(100)]
    left = json.loads(fit_messages(messages, LIMIT)[0])

    (gone,) = left[1]["parts"]
    assert left[0] == messages[0]
    assert left[2:] == messages[-len(left[2:]) :]
    assert gone == {"type": "cut", "messages": 100 - 1 - len(left[2:])}
