"""A setting: environment variable, type, default and meaning, and how its value is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of docs/settings.md, and how its value is read.

    Args:
        env: the environment variable.
        type: what the value looks like, for people.
        parse: text → value; raises ValueError naming what it takes.
        meaning: what it does, in a sentence.
        shown: the default as people write it, where that differs from `default`.
        secret: its value is never repeated in a message.
        items: checks a list that code gives in place of text; raises as `parse` does.
        field: the attribute of `Settings` that it sets.
        default: the value where nothing is set; of the field's own type.
    """

    env: str
    type: str
    parse: Callable[[str], Any]
    meaning: str
    shown: str = ""
    secret: bool = False
    items: Callable[[Sequence[str]], tuple[str, ...]] | None = None
    field: str = ""
    default: Any = None

    def parsed(self, given: str, where: str, problems: list[str]) -> Any:
        """The value of a text; None where it is invalid, which is added to the problems. `where` names the setting."""
        return self._converted(self.parse, given, where, problems)

    def checked(self, given: Any, where: str, problems: list[str]) -> Any:
        """The value that code gives instead of text; None and a problem as `parsed`."""
        if self.items is not None and isinstance(given, list | tuple):
            return self._converted(self.items, given, where, problems)
        return self._converted(self._typed, given, where, problems)

    def _converted(self, convert: Callable[[Any], Any], given: Any, where: str, problems: list[str]) -> Any:
        try:
            return convert(given)
        except ValueError as error:
            shown = "(not shown)" if self.secret else repr(given)
            problems.append(f"{where} is {shown}; it must be {error}")
            return None

    def _typed(self, given: Any) -> Any:
        """Raises ValueError where it has the wrong type or size."""
        if self.field == "digest_key":
            if not isinstance(given, bytes) or len(given) != 32:
                raise ValueError("32 bytes or 64 hexadecimal digits")
        elif self.field == "log_level":
            return self.parse(str(given))
        elif isinstance(self.default, bool):
            if not isinstance(given, bool):
                raise ValueError("True or False")
        elif not isinstance(self.default, int | float) or isinstance(given, bool) or not isinstance(given, int | float):
            raise ValueError(self.type)
        else:
            self.parse(repr(given))
        return given


def setting(
    default: Any,
    env: str,
    type_: str,
    parse_text: Callable[[str], Any],
    meaning: str,
    *,
    also: Setting | None = None,
    **more: Any,
) -> Any:
    """A field of `Settings`, with its row, and `also` that of a second variable."""
    rows = (Setting(env, type_, parse_text, meaning, **more), *(() if also is None else (also,)))
    return dataclasses.field(default=default, metadata={"rows": rows})


__all__ = ["Setting", "setting"]
