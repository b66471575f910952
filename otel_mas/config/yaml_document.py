"""YAML documents that people write: loaded with the lines of their parts, so that each problem names its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otel_mas.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    import yaml

_DEEPEST = 100


def read_document(file: Path, wrong: str) -> str:
    """The text of a file.

    Args:
        wrong: the judgement about a file that is no text, as "is no suite".

    Raises:
        ConfigError: It cannot be read, or is not in UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{file} {wrong}: it is not text in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from None


def load_yaml(text: str, file: object, *, needs: str, extra: str) -> tuple[yaml.Node, Any]:
    """Parse a document.

    Args:
        text: YAML or JSON.
        file: where it is from, for messages.
        needs: what it has to hold, for the message about an empty one.
        extra: the extra that installs PyYAML.

    Returns:
        The tree, which knows lines, and its value.

    Raises:
        ConfigError: It is no YAML, is empty, or a key stands twice: each problem with its line.
        MissingExtra: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise MissingExtra(f"{file} is YAML, which needs PyYAML: pip install 'otel-mas[{extra}]'") from None
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        if tree is None:
            raise ConfigError(f"{file} is empty: it needs {needs}")
        again = [f"{file}:{line}: {key!r} stands twice in the same mapping" for key, line in _repeated(tree)]
        if again:
            raise ConfigError(*again)
        return tree, yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(file)
        raise ConfigError(f"{where}: it is no YAML: {error.problem or error}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{file} is no YAML: {' '.join(str(error).split())}") from None


def _repeated(node: yaml.Node, deep: int = 0) -> Iterator[tuple[str, int]]:
    """Keys that stand twice in a mapping, of which YAML would take the last; with their lines."""
    import yaml

    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                yield key.value, key.start_mark.line + 1
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
            children.append(value)
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    for child in children if deep < _DEEPEST else ():
        yield from _repeated(child, deep + 1)


def problem_at(where: Sequence[int | str], message: str, tree: yaml.Node) -> tuple[int, str]:
    """The line of the place that pydantic names, or of the nearest one around it, and the problem in words."""
    line = tree.start_mark.line
    node: yaml.Node | None = tree
    for part in where:
        line_and_node = None if node is None else _child(node, part)
        if line_and_node is None:
            break
        line, node = line_and_node
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    return line + 1, f"{named + ': ' if named else ''}{message.removeprefix('Value error, ')}"


def _child(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found = node.value[part]
        return found.start_mark.line, found
    return None


__all__ = ["load_yaml", "problem_at", "read_document"]
