"""Processor time of one decoding step of packaged models, by tokens in context, each beside the first.

    python -m tidepool_model.evaluation.decode_cost ../public/models/tidepool ../public/models/tidepool-twin --context 128 2048

The WASM file, on one thread of ONNX Runtime's CPU: a ratio to plan with, no speed of a tab. Models take turns, and the fastest of
the rounds counts, so that other processes on the machine disturb little.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from ..export.onnx_runner import OnnxRunner

FILE = "onnx/model_quantized.onnx"
CHUNK = 64


def step_costs(runners: dict[str, OnnxRunner], context: int, rounds: int = 12, steps: int = 16) -> dict[str, list[float]]:
    """Milliseconds of processor time a step (rounds,) by model, after `context` tokens."""
    ids = np.random.default_rng(0).integers(0, 4096, context)
    for runner in runners.values():
        runner.reset()
        for at in range(0, context, CHUNK):
            runner.feed(ids[at : at + CHUNK], keep=1)
    kept = {name: (dict(runner.states), runner.seen) for name, runner in runners.items()}
    found: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            runner.states, runner.seen = dict(kept[name][0]), kept[name][1]
            begun = time.process_time()
            for token in ids[:steps]:
                runner.feed([token], keep=1)
            found[name].append((time.process_time() - begun) / steps * 1000)
    return found


def main() -> int:
    """Command line: one JSON line a context and model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help="packaged model folders")
    parser.add_argument("--context", type=int, nargs="+", default=[128, 2048])
    options = parser.parse_args()
    missing = [str(path / FILE) for path in options.models if not (path / FILE).is_file()]
    if missing:
        print(f"decode_cost: {missing[0]} is missing; package the model first", file=sys.stderr)
        return 1
    runners = {path.name: OnnxRunner(path / FILE) for path in options.models}
    for context in options.context:
        found = step_costs(runners, context)
        first = min(next(iter(found.values())))
        for name, costs in found.items():
            ratios = np.sort(np.array(next(iter(found.values()))) / np.array(costs))  # the same round of both
            low, high = np.percentile(ratios, [2.5, 97.5])
            print(json.dumps({"model": name, "context": context, "ms": round(min(costs), 3), "speed": round(first / min(costs), 3), "low": round(float(low), 3), "high": round(float(high), 3)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
