"""Lists of hosts: what is one, and which host is on it."""

from __future__ import annotations

import pytest

from otel_mas.config import Settings
from otel_mas.config.hosts import LOOPBACK, checked_hosts, hosts, is_listed
from otel_mas.errors import ConfigError


@pytest.mark.parametrize(
    ("listed", "host", "expected"),
    [
        (LOOPBACK, "localhost", True),
        (LOOPBACK, "127.0.0.1", True),
        (LOOPBACK, "127.8.9.1", True),
        (LOOPBACK, "[::1]", True),
        (LOOPBACK, "::ffff:127.0.0.1", True),
        (LOOPBACK, "app.localhost", True),
        (LOOPBACK, "localhost.evil.org", False),
        (LOOPBACK, "127.0.0.1.evil.org", False),
        ("agents.example.org", "Agents.Example.ORG.", True),
        ("agents.example.org", "my.agents.example.org", False),
        ("*.example.org", "a.b.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "badexample.org", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "10.example.org", False),
        ("2001:db8::/32", "[2001:db8::7]", True),
        ("*", "anything.example", True),
        ("*", "", False),
    ],
)
def test_a_host_is_listed_by_its_name_or_address(listed: str, host: str, expected: bool) -> None:
    assert is_listed(host, (listed,)) is expected


def test_none_is_an_empty_list_and_nothing_is_on_it() -> None:
    assert hosts("none") == ()
    assert not is_listed("localhost", ())


@pytest.mark.parametrize(
    "wrong", ["https://example.org", "example.org:80", "exa mple", "*example.org", "a..b", "-", ""]
)
def test_what_is_no_host_is_refused_with_what_is_one(wrong: str) -> None:
    with pytest.raises(ValueError, match="hosts, such as agents"):
        checked_hosts([wrong])


def test_the_setting_is_read_from_the_environment_and_is_this_machine_by_default() -> None:
    assert Settings.from_env({}).baggage_hosts == (LOOPBACK,)
    read = Settings.from_env({"OTEL_MAS_BAGGAGE_HOSTS": "loopback, *.Example.org"})
    assert read.baggage_hosts == (LOOPBACK, "*.example.org")
    with pytest.raises(ConfigError, match="OTEL_MAS_BAGGAGE_HOSTS"):
        Settings.from_env({"OTEL_MAS_BAGGAGE_HOSTS": "http://example.org"})
