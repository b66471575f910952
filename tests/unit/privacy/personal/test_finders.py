"""What is taken for personal data in a text, and what only looks like it."""

from __future__ import annotations

import re
import time
import timeit

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_mas.config.personal import KINDS
from otel_mas.privacy.personal.finders import Finders

pytestmark = pytest.mark.slow

COUNTRIES = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "SE", "IN", "AU", "JP", "BR", "CH", "AT")
ALL = Finders(KINDS, ["US", "DE"])


def found(text: str, name: str = "") -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in ALL.find(text, name)]


@pytest.mark.parametrize(
    ("kind", "text", "data"),
    [
        ("email", "write to Bob.Smith+news@Example.co.uk.", "Bob.Smith+news@Example.co.uk"),
        ("email", "<bob@example.com>", "bob@example.com"),
        ("email", "GET /u?mail=bob%40example.com&x=1", "bob%40example.com"),
        ("email", "O'Brien: o'brien@example.com", "o'brien@example.com"),
        ("email", "josé@exámple.es wrote", "josé@exámple.es"),
        ("email", "mailto:bob@example.com?subject=x", "bob@example.com"),
        ("email", '"john doe"@example.com', '"john doe"@example.com'),
        ("phone", "call +1 (212) 555-0187 now", "+1 (212) 555-0187"),
        ("phone", "+49 30 901820, ask for Bo", "+49 30 901820"),
        ("phone", "0044 20 7946 0958", "0044 20 7946 0958"),
        ("phone", "tel:+1-555-123-4567", "+1-555-123-4567"),
        ("phone", "+1 555 123 4567 2024", "+1 555 123 4567"),
        ("phone", "(555) 123-4567", "(555) 123-4567"),
        ("phone", "on 2024-11-21 212-555-0187 rang", "212-555-0187"),
        ("phone", "030 901820 is in Berlin", "030 901820"),
        ("phone", "phone: 2125550187", "2125550187"),
        ("card", "card 4111 1111 1111 1111.", "4111 1111 1111 1111"),
        ("card", "5555-5555-5555-4444", "5555-5555-5555-4444"),
        ("card", "amex 3782 822463 10005", "3782 822463 10005"),
        ("card", '{"number":4111111111111111}', "4111111111111111"),
        ("iban", "to DE89 3704 0044 0532 0130 00 then", "DE89 3704 0044 0532 0130 00"),
        ("iban", "gb29nwbk60161331926819.", "gb29nwbk60161331926819"),
        ("iban", "NL91 ABNA 0417 1643 00", "NL91 ABNA 0417 1643 00"),
        ("ip", "from 10.1.2.3:8080", "10.1.2.3"),
        ("ip", "http://203.0.113.9/x", "203.0.113.9"),
        ("ip", "client ip 8.8.8.8", "8.8.8.8"),
        ("ip", "192.168.4.7/22", "192.168.4.7"),
        ("ip", "[2001:db8:0:0:0:0:0:5]:80", "2001:db8:0:0:0:0:0:5"),
        ("ip", "at 2001:db8::1.", "2001:db8::1"),
        ("ip", "fe80::1ff:fe23:4567:890a%eth0", "fe80::1ff:fe23:4567:890a"),
        ("national_id", "ssn 123-45-6789", "123-45-6789"),
        ("national_id", "CPF 390.533.447-05", "390.533.447-05"),
        ("national_id", "AHV 756.9217.0769.85", "756.9217.0769.85"),
        ("national_id", "12.531.909-2 is a RUT", "12.531.909-2"),
        ("national_id", "85.07.30-033.28", "85.07.30-033.28"),
        ("national_id", "131052-308T", "131052-308T"),
        ("national_id", "880320-0016", "880320-0016"),
        ("national_id", "971013-9019902", "971013-9019902"),
        ("national_id", "710319/2745", "710319/2745"),
        ("national_id", "2 95 10 99 126 111 93", "2 95 10 99 126 111 93"),
        ("national_id", "360426199101010071", "360426199101010071"),
        ("national_id", "54362315-K", "54362315-K"),
        ("national_id", "X2482300W", "X2482300W"),
        ("national_id", "RCCMNL83S18D969H", "RCCMNL83S18D969H"),
        ("national_id", "BOXW310820HNERXN09", "BOXW310820HNERXN09"),
        ("national_id", "AB 12 34 56 C", "AB 12 34 56 C"),
        ("national_id", "BSN 111222333", "111222333"),
        ("national_id", "PESEL: 44051401359", "44051401359"),
        ("national_id", "Aadhaar 2341 2341 2346", "2341 2341 2346"),
    ],
)
def test_personal_data_is_found_where_it_begins_and_ends(kind: str, text: str, data: str) -> None:
    assert (kind, data) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "v1.2.3.4, release 10.20.30.40, pkg-1.22.33.44, pkg==1.22.33.44, Chrome/120.0.0.0, see 1.2.3.4",
        "127.0.0.1, 0.0.0.0, 255.255.255.0, 224.0.0.1, ::1, 1.3.6.1.4.1.311, 300.1.2.3, 169.254.169.254",
        "10.0.0.0/8 192.168.4.0/22 fc00::/7 2001:db8::/32",
        "a model call of 5000000, [SIM=0.832268] tel",
        "std::string, face::add, 12:34:56, 12:34:56.789, aa:bb:cc:dd:ee:ff, 01:23:45:67:89:ab:cd:ef",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301 41111111-1111-4111-8111-111111111111",
        "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 4111111111111111abcd",
        "2026-11-21 16:57:49.123456 2026-11-21T16:57:49.123Z 1700000000 1700000000000 1700000000000000000",
        "order 4111111111111112, 1234567890, #20241121001, 5500-0000-0000-0001, sku 0123456789012",
        "git@github.com:org/repo ssh://git@host.example/x https://bob@host.example logo@2x.png x@1.2.3 @app.get a@b.T",
        "user@localhost me@ @you a@b",
        "x = a[10:20] + 1234567 * 3.14159265358979 / 1e10; y = 0x4111111111111111",
        "10,000,000 12.345.678 1 000 000 000 100-200 1/2/2024 12/31/2024 2024/11/21",
        "000-12-3456 666-12-3456 123-00-4567 123-45-0000 390.533.447-06 12.531.909-3 54362315-A",
        "DE89 3704 0044 0532 0130 01 and AB12CDEF",
        "111222333 44051401359 234123412346",
        "ISBN 978-3-16-148410-0, 192.0.2, page 212-555",
        "gpt-4o-2024-11-20, claude-3-5-sonnet-20241022, python 3.11.7, 1.0.0-rc.1+build.5",
        "diff --git a/x b/x @@ -1,7 +1,7 @@ +1 -1",
        "[email:0123456789] [phone:2125550187] [card:4111111111]",
    ],
)
def test_near_misses_stay(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("customerPhone", "2125550187", "phone"),
        ("tel", "212 5550187", "phone"),
        ("ssn", "123456789", "national_id"),
        ("tax_id", "36574261809", "national_id"),
        ("client.address", "1.2.3.4", "ip"),
    ],
)
def test_a_name_tells_what_digits_are(name: str, text: str, kind: str) -> None:
    assert found(text, name) == [(kind, text)]
    assert found(text, "version") == []


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_numbers_of_every_country_are_found_with_its_code(region: str) -> None:
    number = phonenumbers.example_number(region)
    for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
        written = phonenumbers.format_number(number, form)
        assert [one.kind for one in Finders(["phone"]).find(f"call {written} now")] == ["phone"], written


@pytest.mark.parametrize(
    "region", ["US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "SE", "IN", "AU", "JP", "BR", "CH", "AT"]
)
def test_numbers_of_chosen_countries_are_found_without_it(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert [one.kind for one in Finders(["phone"], [region]).find(f"at {written} now")] == ["phone"], written


def test_different_ways_to_write_the_same_data_have_one_value() -> None:
    def values(*texts: str) -> set[str]:
        return {one.value for text in texts for one in ALL.find(text)}

    assert len(values("+1 212 555 0187", "(212) 555-0187", "tel 212.555.0187", "+12125550187")) == 1
    assert len(values("Bob@Example.com", "bob%40example.com")) == 1
    assert len(values("DE89 3704 0044 0532 0130 00", "de89370400440532013000")) == 1
    assert len(values("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111")) == 1
    assert len(values("2001:db8::1", "2001:0db8:0:0:0:0:0:1")) == 1


@given(st.text(st.sampled_from("a1Z@.+-() :/%4059\u00a0é[]x"), max_size=120))
@settings(max_examples=2 * settings().max_examples)
def test_findings_are_in_order_and_apart_in_any_text(text: str) -> None:
    done = 0
    for one in ALL.find(text):
        assert done <= one.start < one.end <= len(text)
        done = one.end


@given(st.from_regex(r"[a-z][a-z0-9.+]{0,10}[a-z0-9]@[a-z0-9]{1,10}\.(?:com|org|de|io)", fullmatch=True))
def test_every_usual_address_is_found_whole(address: str) -> None:
    if ".." not in address and not address.startswith("git@"):
        assert ("email", address) in found(f"to {address}, please")


@given(st.integers(0, 10**18 - 1), st.integers(0, 2**128 - 1))
def test_a_hexadecimal_id_is_nothing_but_an_id(number: int, identity: int) -> None:
    assert found(f"{identity:032x}") == []
    assert found(f"span {number:x}a") == []


@pytest.mark.parametrize(
    "unit",
    [
        *("1 ", "1", "a@", "@", "+1", "+1 1 1 1 1 1 ", "AA11 ", "DE11 ", "12 34-56 ", "1.1.1.1.", ":1", "1:", "a"),
        *(" ", "A1", "(1)", "0", "4111 ", "[email:", '"@', "{[", "1.", "0 ", "ssn 1", "+1 212 555 0187 ", "00"),
        *("2001:db8::1 ", "x@example.com ", "tel 030 9018", "a.b-", "-@-", "１ ", "é@", "%40", "00 1", "756.1234."),
    ],
)
def test_hostile_text_takes_no_more_than_linear_time(unit: str) -> None:
    """CPU time as a ratio: eight times the text, far from 64 times the work."""

    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        return min(timeit.repeat(lambda: ALL.find(text), timer=time.process_time, number=1, repeat=2))

    assert seconds(40_000) < 32 * seconds(5_000) + 0.05


def test_long_text_is_scanned_in_portions() -> None:
    """The interpreter is held for a portion at most, and what lies across the border of two is found."""
    pauses: list[None] = []
    for before in range((1 << 15) - 24, (1 << 15) + 2):
        text = "x" * (before - 1) + " bob@example.com +1 212 555 0187"
        assert [one.kind for one in ALL.find(text, pause=lambda: pauses.append(None))] == ["email", "phone"]
    pauses.clear()
    ALL.find("word and 1 @ word " * 350_000, pause=lambda: pauses.append(None))  # 6 MB
    assert len(pauses) > 6 * 2**20 / 2**15


def test_a_pause_ends_the_scan() -> None:
    def over() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        ALL.find("1 " * 100_000, pause=over)


def test_only_the_chosen_kinds_are_found() -> None:
    text = "bob@example.com 203.0.113.9 +1 212 555 0187"
    assert [one.kind for one in Finders(["ip"]).find(text)] == ["ip"]
    assert Finders([]).find(text) == []


def test_each_kind_is_documented() -> None:
    assert re.fullmatch(r"[a-z_,]+", ",".join(KINDS))
