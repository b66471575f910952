"""Rankings by others' methods: run in an environment of its own, which has auditable and catchbench.

Reads cases as JSON from stdin, `[{"steps": [{"idx", "agent", "kind", "deps"}], "mistake", "digest"}]`, and writes
`{method: [[ranking of each case] for each seed]}`; of a case without an answer the ranking is empty.
"""

from __future__ import annotations

import json
import random
import sys
import warnings
from importlib.resources import files

from auditable.methods import get_method

RULES = ("step.position_early_rule", "step.blast", "step.degree", "step.dep_anomaly")
LEARNED = ("step.position_supervised", "step.exec_rank")
JUDGES = ("all_at_once__gpt-5.5", "step_by_step__gpt-5.5", "all_at_once__claude-opus-4.8", "all_at_once__llama-3.3-70b")
"""Stored answers of models, which catchbench ships; it finds them by a digest of the log."""
FOLDS, SEEDS = 5, 5


def ranked(scores):
    return sorted(range(len(scores)), key=lambda step: (-scores[step], step))


def learned(name, cases, seed):
    """Out of fold: nothing is ranked by a model that has seen its label."""
    order = list(range(len(cases)))
    random.Random(seed).shuffle(order)
    found = [[] for _ in cases]
    for fold in range(FOLDS):
        tested = order[fold::FOLDS]
        fitted = [number for number in order if number not in set(tested)]
        method = get_method(name)()
        method.fit([cases[one]["steps"] for one in fitted], [cases[one]["mistake"] for one in fitted])
        for one, scores in zip(tested, method.step_scores_batch([cases[one]["steps"] for one in tested]), strict=True):
            found[one] = ranked(list(scores))
    return found


def judged(name, cases):
    folder = files("catchbench") / "data" / "llm_judge"
    known = json.loads((folder / "legacy_run_keys.json").read_text())["keys"]
    stored = json.loads((folder / f"whoandwhen__{name}.json").read_text())["predictions"]
    by_digest = {known.get(key, key): answer for key, answer in stored.items()}
    answers = [by_digest.get(f"sha256-{case['digest']}") for case in cases]
    return [[] if answer is None else steps_of(answer) for answer in answers]


def steps_of(answer):
    ranking = answer["ranking"] if isinstance(answer["ranking"], list) else json.loads(answer["ranking"] or "[]")
    first = [] if answer["top"] in (None, "", "None") else [int(answer["top"])]
    return list(dict.fromkeys([*first, *map(int, ranking or ())]))


def main():
    warnings.simplefilter("ignore")
    cases = json.load(sys.stdin)
    found = {name: [[ranked(list(get_method(name)().step_scores(case["steps"]))) for case in cases]] for name in RULES}
    found |= {name: [learned(name, cases, seed) for seed in range(SEEDS)] for name in LEARNED}
    if all(case["digest"] for case in cases):
        found |= {f"judge {name}": [judged(name, cases)] for name in JUDGES}
    json.dump(found, sys.stdout)


main()
