"""Run one app: `python -m tests.accuracy.topologies pipeline --seed 3`; prints its answer."""

from __future__ import annotations

import argparse

from tests.accuracy.topologies import TOPOLOGIES, build

parser = argparse.ArgumentParser(prog="python -m tests.accuracy.topologies", description=__doc__)
parser.add_argument("topology", choices=TOPOLOGIES)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--clean", action="store_true")
options = parser.parse_args()
print(build(options.topology, options.seed, clean=options.clean).run())
