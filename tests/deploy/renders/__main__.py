"""Write the committed renders of the chart anew: `python -m tests.deploy.renders`."""

from __future__ import annotations

import os
from pathlib import Path

from tests.deploy.kubernetes import HELM, VALUES, golden, render
from tests.go_programs import go_program

for values in VALUES:
    objects = render(go_program(HELM, os.environ), values)
    (Path(__file__).parent / f"{values}.yaml").write_text(golden(objects))
