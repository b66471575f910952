"""No planted secret survives; what is no secret does."""

from __future__ import annotations

import json
import time
import timeit
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_mas.privacy.redact import REDACTED, Redactor, is_secret_key, redact_text

pytestmark = pytest.mark.slow

S = "hunter2XYZ"
KEY = "Zx9" * 12

WORDS = st.text("abcdefghijklmnopqrstuvwxyz ,.:;-_/()\n\"'{}[]=é你\\", max_size=30)
SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=24, max_size=40)
SECRET_KEYS = st.sampled_from(
    [
        "password",
        "passwd",
        "PASSWORD",
        "dbPassword",
        "user_password",
        "db_pass",
        "pwd",
        "secret",
        "client_secret",
        "clientSecret",
        "api_key",
        "apiKey",
        "API-KEY",
        "x-api-key",
        "openai_api_key",
        "access_token",
        "accessToken",
        "refresh_token",
        "token",
        "authToken",
        "id_token",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "set-cookie",
        "private_key",
        "aws_secret_access_key",
        "credentials",
        "jwt",
        "auth",
        "passphrase",
        "connection_string",
        "ssh_key",
        "session_key",
        "encryption_key",
    ]
)
SHAPES = st.sampled_from(
    [
        "Bearer {}",
        "bearer   {}",
        "sk-{}",
        "sk-proj-{}",
        "sk-ant-api03-{}",
        "AKIA{:.16}",
        "ghp_{}",
        "github_pat_{}",
        "xoxb-{}",
        "AIza{}",
        "glpat-{}",
        "hf_{}",
        "sk_live_{}",
        "eyJhbGciOiJ9.{0}.{0}",
        "-----BEGIN RSA PRIVATE KEY-----\n{0}\n{0}\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}",
        "https://user:{}@example.com/path",
        "postgresql+psycopg://u:{}@db:5432/x?a=b",
        "redis://:{}@cache",
        "api_key={}",
        "OPENAI_API_KEY={}",
        "password: {}",
        '"password": "{}"',
        "{{'token': '{}'}}",
        '\\"access_token\\": \\"{}\\"',
        "Authorization: Basic {}",
        "https://example.com/?a=b&token={}&c=d",
        "mytool --api-key {} --verbose",
        "Cookie: a=b; session={}",
    ]
)


def _survives(secret: str, value: object) -> bool:
    """Whether the secret, or a part of it that would help anybody, is anywhere in the value."""
    return secret[:16] in json.dumps(value, ensure_ascii=False, default=repr)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Something JSON-able with `inner` at some depth, as a value, in a list, or as text of JSON."""
    return st.recursive(
        inner,
        lambda deeper: (
            st.builds(lambda key, value, other: {"other": other, key: value}, WORDS, deeper, WORDS)
            | st.builds(lambda value, other: [other, value, other], deeper, WORDS)
            | st.builds(lambda value, other: (value, other), deeper, WORDS)
            | st.builds(lambda value: json.dumps({"arguments": value}), deeper)
        ),
        max_leaves=3,
    )


@given(SECRETS, SHAPES, WORDS, WORDS)
def test_a_secret_shape_in_any_text_does_not_survive(secret: str, shape: str, before: str, after: str) -> None:
    assert not _survives(secret, redact_text(f"{before} {shape.format(secret)} {after}"))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), SECRETS, SHAPES)
def test_a_secret_shape_does_not_survive_at_any_depth(data: st.DataObject, secret: str, shape: str) -> None:
    value = data.draw(_nested(st.just(shape.format(secret))))
    assert not _survives(secret, Redactor().value(value))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), SECRETS, SECRET_KEYS)
def test_a_value_under_a_secret_key_does_not_survive(data: st.DataObject, secret: str, key: str) -> None:
    hidden = data.draw(_nested(st.just(secret)))
    value = data.draw(_nested(st.just({"kept": 1, key: hidden})))
    assert not _survives(secret, Redactor().value(value))


@given(SECRETS, SHAPES, WORDS)
def test_a_secret_in_a_key_does_not_survive(secret: str, shape: str, words: str) -> None:
    clean = Redactor().value({shape.format(secret): words, f"x {shape.format(secret)}": [1]})
    assert not _survives(secret, clean)
    assert len(clean) == 2


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), SECRETS, SHAPES, SECRET_KEYS, WORDS)
def test_redacting_again_changes_nothing(data: st.DataObject, secret: str, shape: str, key: str, words: str) -> None:
    text = f"{words}{shape.format(secret)}{words}{key}={words}"
    once = redact_text(text)
    assert redact_text(once) == once
    value = data.draw(_nested(st.just({key: secret, "text": text})))
    clean = Redactor().value(value)
    assert Redactor().value(clean) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"password={S}", "password=[redacted]"),
        (f'{{"a": 1, "password": "{S}"}}', '{"a":1,"password":"[redacted]"}'),
        (f"{{'api_key': '{S}', 'x': 1}}", "{'api_key': '[redacted]', 'x': 1}"),
        (f'{{\\"access_token\\": \\"{S}\\"}}', '{\\"access_token\\": \\"[redacted]\\"}'),
        (f'curl -H "X-Api-Key: {S}" url', 'curl -H "X-Api-Key: [redacted]" url'),
        (f"tool --password {S} file", "tool --password [redacted] file"),
        (f"['--token', '{S}']", "['--token', '[redacted]']"),
        (f"postgres://u:{S}@h/db", "postgres://u:[redacted]@h/db"),
        (f"<password>{S}</password>", "<password>[redacted]</password>"),
        (f"client_secret={S}&a=b", "client_secret=[redacted]&a=b"),
        (f"DB_PASS={S}\nHOST=h", "DB_PASS=[redacted]\nHOST=h"),
        (f'password="""{S}"""', 'password="""[redacted]"""'),
        (f"token%3D{S}", "token%3D[redacted]"),
        (f'Authorization: Digest username="x", response="{S}"', "Authorization: [redacted]"),
        (f"Error: Incorrect API key provided: sk-{KEY}. See", "Error: Incorrect API key provided: [redacted]. See"),
        (f"private_key: -----BEGIN KEY-----\n{S}\n-----END KEY-----\nx", "private_key: [redacted]\nx"),
        (f"id eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{S} x", "id [redacted] x"),
    ],
)
def test_only_the_secret_is_cut_out(text: str, clean: str) -> None:
    assert redact_text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=512, input_tokens: 5, token_count: 3, total_tokens=9",
        "task-1234567890123456789 and risk-management-for-everybody-at-home",
        "The key insights: foo. The primary key: id. A monkey: x. keyboard: qwerty",
        "author: Bob, secretary: Ann, tokenizer=gpt",
        "http://host:8080/a@b and https://example.com/z?q=1 and git@github.com:a/b",
        "password: null, token=None, secret: true",
        "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 1f0c9b1e-9d7a-6a2f-8000-3b5a2c1d4e5f",
        '{"tokens": 5, "usage": {"prompt_tokens": 12, "token_details": {"cached": 1}}}',
        "a bearer of bad news",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact_text(text) == text


def test_values_without_secrets_come_back_equal() -> None:
    value = {"a": [1, 2.5, None, True, "text"], "b": {"c": ""}, "password": None, "token": "", "secret": False}
    assert Redactor().value(value) == value


def test_a_secret_named_in_a_value_is_found() -> None:
    value = [
        {"name": "API_KEY", "value": S},
        {"name": "PATH", "value": "/bin"},
        ["Authorization", S],
        ("Accept", "json"),
        ["run", "--password", S, "--name", "x"],
    ]
    assert Redactor().value(value) == [
        {"name": "API_KEY", "value": REDACTED},
        {"name": "PATH", "value": "/bin"},
        ["Authorization", REDACTED],
        ["Accept", "json"],
        ["run", "--password", REDACTED, "--name", "x"],
    ]


def test_two_keys_that_are_secrets_are_both_kept() -> None:
    assert Redactor().value({f"sk-{KEY}a": 1, f"sk-{KEY}b": 2}) == {REDACTED: 1, f"{REDACTED} 1": 2}


def test_depth_cycles_and_strange_objects_raise_nothing() -> None:
    deep: Any = f"sk-{KEY}"
    for _ in range(5_000):
        deep = [deep]
    assert not _survives(KEY, repr(Redactor().value(deep)))
    cycle: dict[str, Any] = {"password": S}
    cycle["again"] = [cycle, cycle]
    assert Redactor().value(cycle) == {"password": REDACTED, "again": ["[cycle]", "[cycle]"]}

    class Strange:
        def __repr__(self) -> str:
            return f"Strange(api_key='{S}')"

    assert Redactor().value({Strange(): Strange(), 1: b"token=" + S.encode(), "s": {S}}) == {
        "Strange(api_key='[redacted]')": "Strange(api_key='[redacted]')",
        1: "token=[redacted]",
        "s": [S],
    }


def test_an_unclosed_or_broken_text_is_cut_to_its_end() -> None:
    assert redact_text(f'{{"password": "{S} and more') == '{"password": "[redacted]'
    assert redact_text(f"-----BEGIN PRIVATE KEY-----\n{S}") == REDACTED
    assert not _survives(KEY, redact_text(f"\ud800 sk-{KEY} İİİ password={KEY}"))


def test_keys_are_recognised_in_every_spelling() -> None:
    secret = ("password", "db.password", "apiKey", "API_KEY", "api-key", "ACCESS_TOKEN", "id_tokens", "Set-Cookie")
    plain = ("tokens", "max_tokens", "token_count", "key", "keys", "author", "monkey", "tokenizer", "passenger", "name")
    assert [key for key in (*secret, *plain) if is_secret_key(key)] == list(secret)


UNITS = ["://a:", "eyJ", "password", 'password="', "-----BEGIN ", "--token ", "key=[", "\\"]
UNITS += ["token,foo,bar\n", "| token | foo |\n|---|---|\n", "hook/", "hook.", "thin:a/", "curl -u 'ldap -x "]


@pytest.mark.parametrize(
    ("head", "unit"), [*(("", unit) for unit in UNITS), *((head, " ") for head in ("token:", "pass is ", "Cookie:"))]
)
def test_hostile_text_takes_no_more_than_linear_time(head: str, unit: str) -> None:
    """CPU time as a ratio, since the machine may be busy: eight times the text, far from 64 times the work."""

    def seconds(length: int) -> float:
        text = head + unit * (length // len(unit))
        return min(timeit.repeat(lambda: redact_text(text), timer=time.process_time, number=1, repeat=3))

    assert seconds(80_000) < 32 * seconds(10_000) + 0.05
