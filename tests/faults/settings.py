"""How long faults go on, and the seed of their moments."""

from __future__ import annotations

import os
import random
from typing import Final

SECONDS: Final = float(os.environ.get("FAULT_SECONDS", "5"))
"""Of faults in each test; what has to be waited for afterwards comes on top."""
SEED: Final = int(os.environ.get("FAULT_SEED", "1"))


def chance(name: str) -> random.Random:
    """Random numbers of a test: the same with each run of a seed. Moments still vary, as processes do."""
    return random.Random(f"{SEED} {name}")
