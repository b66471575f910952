"""The settings for personal data."""

from __future__ import annotations

import pickle

import pytest

from otel_mas.config import Settings, personal
from otel_mas.config.named_function import NamedFunction
from otel_mas.errors import ConfigError


def shout(path: str, text: str) -> str:
    return f"{path}: {text}!"


def test_kinds_are_named_or_all() -> None:
    assert Settings.from_env({"OTEL_MAS_PERSONAL_DATA": "ip, email"}).personal_data == ("email", "ip")
    assert Settings.from_env({"OTEL_MAS_PERSONAL_DATA": "all"}).personal_data == tuple(personal.KINDS)
    assert Settings.from_env({}, personal_data=["card"]).personal_data == ("card",)
    assert not Settings.from_env({}).removes


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_MAS_PERSONAL_DATA": "email,names"}, "email, phone, card, iban, ip, national_id"),
        ({"OTEL_MAS_PHONE_REGIONS": "Germany"}, "ISO 3166"),
        ({"OTEL_MAS_KEEP_PATHS": "$.a[0]"}, "tool:send_mail.body"),
        ({"OTEL_MAS_CONTENT": "full", "OTEL_MAS_PERSONAL_DATA": "email"}, "stores everything as it is"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can_be(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Settings.from_env(variables)


def test_a_kind_whose_library_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"OTEL_MAS_PERSONAL_DATA is 'all'.*otel-mas\[personal-data\]"):
        Settings.from_env({"OTEL_MAS_PERSONAL_DATA": "all"})
    with pytest.raises(ConfigError, match=r"otel-mas\[personal-data\]"):
        Settings.from_env({"OTEL_MAS_PHONE_REGIONS": "DE"})
    assert Settings.from_env({"OTEL_MAS_PERSONAL_DATA": "email,ip"}).personal_data == ("email", "ip")


def test_code_gives_a_function() -> None:
    assert Settings.from_env({}, redact_function=shout).removes
    with pytest.raises(ConfigError, match="a function of a path and a text"):
        Settings.from_env({}, redact_function="shout")


def test_a_function_goes_to_another_process_by_its_name() -> None:
    there = pickle.loads(pickle.dumps(NamedFunction.of(shout)))
    assert there("a", "b") == "a: b!"
    with pytest.raises(LookupError):
        NamedFunction.of(lambda path, text: text)("a", "b")
