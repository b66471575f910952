"""The registry is one that Weaver takes, and every name in it is of use to something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

SEMCONV = Path(__file__).resolve().parents[3] / "semconv"
FILES = {path.name: yaml.safe_load(path.read_text()) for path in sorted((SEMCONV / "model").glob("*.yaml"))}
TYPES = {"string": str, "int": int, "double": float, "boolean": bool, "string[]": list, "template[string[]]": list}
STABILITIES = {"stable", "development", "alpha", "beta", "release_candidate"}
# What Weaver 0.25.1 takes in definition/2 (its schema denies other fields), by section: required, then optional.
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "attributes": ({"key", "type", "brief", "stability"}, {"note", "examples", "annotations"}),
    "spans": (
        {"type", "kind", "name", "brief", "stability", "requirement_level"},
        {"note", "attributes", "annotations"},
    ),
    "events": ({"name", "brief", "stability", "requirement_level"}, {"note", "attributes", "annotations"}),
    "metrics": (
        {"name", "instrument", "unit", "brief", "stability", "requirement_level"},
        {"note", "attributes", "annotations"},
    ),
    "entities": (
        {"type", "identity", "brief", "stability", "requirement_level"},
        {"note", "description", "annotations"},
    ),
}
BASIC_LEVELS = {"required", "recommended", "opt_in"}


def _section(name: str) -> list[dict[str, Any]]:
    return [entry for content in FILES.values() for entry in content.get(name, ())]


ATTRIBUTES = {entry["key"]: entry for entry in _section("attributes")}
GROUPS = {entry["id"]: entry for entry in _section("attribute_groups")}


def _references(signal: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in ("attributes", "identity", "description"):
        for reference in signal.get(part, ()):
            if "ref_group" in reference:
                yield from _references(GROUPS[reference["ref_group"]])
            else:
                yield reference


SIGNALS = [*_section("spans"), *_section("events"), *_section("metrics"), *_section("entities")]
PUBLIC = [*SIGNALS, *(group for group in GROUPS.values() if group["visibility"] == "public")]


def test_the_manifest_has_a_schema_url_that_ends_in_a_version() -> None:
    manifest = yaml.safe_load((SEMCONV / "manifest.yaml").read_text())

    assert set(manifest) == {"schema_url", "description"}
    assert manifest["schema_url"].startswith("https://")
    assert manifest["schema_url"].rsplit("/", 1)[1].count(".") == 2


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_of_format_two_and_holds_known_sections_only(name: str) -> None:
    assert FILES[name]["file_format"] == "definition/2"
    assert set(FILES[name]) <= {"file_format", "attribute_groups", *FIELDS}


@pytest.mark.parametrize("section", FIELDS)
def test_each_definition_has_the_fields_that_weaver_takes(section: str) -> None:
    required, optional = FIELDS[section]

    for entry in _section(section):
        assert required <= set(entry), entry
        assert set(entry) <= required | optional, entry
        assert entry["stability"] in STABILITIES, entry


def test_no_name_is_defined_twice() -> None:
    identity = {"attributes": "key", "spans": "type", "events": "name", "metrics": "name", "entities": "type"}
    times = Counter((section, entry[key]) for section, key in identity.items() for entry in _section(section))

    assert [name for name, count in times.items() if count > 1] == []


def test_examples_are_of_the_type_and_text_has_some() -> None:
    for key, entry in ATTRIBUTES.items():
        if isinstance(entry["type"], dict):
            continue
        expected = TYPES[entry["type"]]
        examples = entry.get("examples", [])
        assert examples or not entry["type"].startswith("string"), f"{key} has no example"
        assert all(type(example) is expected for example in examples), key


def test_members_of_enums_have_distinct_ids_and_values() -> None:
    for key, entry in ATTRIBUTES.items():
        if isinstance(entry["type"], dict):
            members = entry["type"]["members"]
            assert all(set(member) == {"id", "value", "brief", "stability"} for member in members), key
            for field in ("id", "value"):
                assert len({member[field] for member in members}) == len(members), key


def test_every_reference_resolves_inside_the_registry() -> None:
    refs = {reference["ref"] for signal in [*SIGNALS, *GROUPS.values()] for reference in _references(signal)}

    assert refs - set(ATTRIBUTES) == set()


def test_no_signal_names_an_attribute_twice_through_its_groups() -> None:
    for signal in PUBLIC:
        times = Counter(reference["ref"] for reference in _references(signal))
        assert [ref for ref, count in times.items() if count > 1] == [], signal


def test_requirement_levels_are_ones_that_there_are() -> None:
    for signal in PUBLIC:
        for reference in _references(signal):
            level = reference.get("requirement_level", "recommended")
            assert level in BASIC_LEVELS if isinstance(level, str) else set(level) == {"conditionally_required"}


def test_no_attribute_without_a_signal_that_uses_it() -> None:
    used = {reference["ref"] for signal in PUBLIC for reference in _references(signal)}

    assert set(ATTRIBUTES) - used == set()


def test_no_name_is_also_the_namespace_of_another() -> None:
    ours = [key for key in ATTRIBUTES if key.startswith("mas.")]

    assert [(a, b) for a in ours for b in ours if b.startswith(a + ".")] == []


def test_required_and_recommended_attributes_hold_no_content() -> None:
    for signal in PUBLIC:
        for reference in _references(signal):
            if ATTRIBUTES[reference["ref"]]["annotations"]["content_class"] == "content":
                assert reference["requirement_level"] == "opt_in", (signal, reference)
