"""Methods of auditable and catchbench on the same cases, in an environment of their own in the user's cache."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.accuracy.attribution.transcripts import Case
from tests.bench.environments import environment

PACKAGES = ("auditable==0.3.0", "catchbench==0.1.3", "scikit-learn==1.9.1", "numpy==2.4.6")
_PROGRAM = Path(__file__).with_name("peers_program.py")

NAMES = {
    "step.position_early_rule": "auditable: early position",
    "step.blast": "auditable: blast radius",
    "step.degree": "auditable: dependency degree",
    "step.dep_anomaly": "auditable: dependency anomaly",
    "step.position_supervised": "auditable: position, learned from labels",
    "step.exec_rank": "auditable: structure, learned from labels (CatchBench's ranker)",
    "judge all_at_once__gpt-5.5": "GPT-5.5, all at once (answers stored in catchbench)",
    "judge step_by_step__gpt-5.5": "GPT-5.5, step by step (the same)",
    "judge all_at_once__claude-opus-4.8": "Claude Opus 4.8, all at once (the same)",
    "judge all_at_once__llama-3.3-70b": "Llama 3.3 70B, all at once (the same)",
}


def rankings_of_peers(
    cases: Sequence[Case], environ: Mapping[str, str] = os.environ
) -> dict[str, list[list[list[int]]]]:
    """By method, for each seed, the ranking of each case. Methods that learn are fitted out of fold.

    Raises:
        subprocess.CalledProcessError: The packages cannot be installed, or do not run.
    """
    given = [
        {
            "steps": [
                {
                    "idx": number,
                    "agent": step.agent,
                    "kind": "tool_call" if step.call else "decision",
                    "deps": list(range(number)),
                }
                for number, step in enumerate(case.steps)
            ],
            "mistake": case.step,
            "digest": case.digest,
        }
        for case in cases
    ]
    python = environment("attribution", PACKAGES, environ)
    result = subprocess.run(
        [python, str(_PROGRAM)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        env=dict(environ),
    )
    found: dict[str, list[list[list[int]]]] = json.loads(result.stdout)
    return {NAMES[name]: seeds for name, seeds in found.items()}
