"""A function of the user's by its name, as it goes to another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

_MAIN = "__main__"


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """Finds the function when it is called first, in the process where it is called.

    Without that function, as of a lambda, each call raises, and so the text is removed.
    """

    module: str
    name: str

    @classmethod
    def of(cls, function: Callable[..., Any]) -> NamedFunction:
        """The function's module and name."""
        return cls(str(getattr(function, "__module__", "")), str(getattr(function, "__qualname__", "")))

    def __call__(self, path: str, text: str) -> str | None:
        """Call the function.

        Raises:
            LookupError: there is none of this name.
        """
        return _found(self.module, self.name)(path, text)  # type: ignore[no-any-return]


@cache
def _found(module: str, name: str) -> Callable[..., Any]:
    # A child that multiprocessing has spawned knows its parent's main module by another name.
    for place in ("__mp_main__", _MAIN) if module == _MAIN else (module,):
        try:
            found: Any = import_module(place)
            for part in name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError, ValueError):
            continue
        return found  # type: ignore[no-any-return]
    raise LookupError(f"there is no function {module}.{name} in this process")
