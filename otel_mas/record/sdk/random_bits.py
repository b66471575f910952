"""Random bits for ids, apart from the app's: one that seeds `random` would give all its runs the same ids."""

from __future__ import annotations

import os
from random import Random

_random = Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)  # as the standard library does with its own

getrandbits = _random.getrandbits
"""The same as `random.getrandbits`."""

__all__ = ["getrandbits"]
