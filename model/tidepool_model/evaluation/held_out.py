"""Held-out loss of checkpoints, token by token in float32, and the difference between two with its interval.

    python -m tidepool_model.evaluation.held_out --data DIR --control CHECKPOINT CHECKPOINT …

Counted are the assistant's own words in the held-out conversations of data.build (problems whose numbers and names no training
document has). Plain text is left out: a fine-tuned model is far from it. The interval is a bootstrap over documents, paired, since
documents differ far more than models do. Several checkpoints of one system (seeds) give one difference: of their mean loss. Where
--control is given once for each of them, each is held against the control of its own seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from ..architecture.config import ConfigError
from ..architecture.model import CheckpointError, HybridLM, document_mask, load_pretrained
from ..data.packing import IGNORED, DataError, PackedStage

RESAMPLES = 10_000


@torch.no_grad()
def document_losses(model: HybridLM, stage: PackedStage, length: int = 512, rows: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Sum of losses in nats (documents,) and number of counted tokens (documents,) of the stage's conversations."""
    model.eval()
    sums: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    waiting = [row for row in stage.chains(length, seed=0) if len(row) == 1]
    for at in range(0, len(waiting), rows):
        packed = [row[0] for row in waiting[at : at + rows]]
        batch = stage.batch(packed, length)
        hidden, _ = model.model(batch.tokens, batch.starts, document_mask(batch.starts))
        chosen = batch.targets != IGNORED
        losses = torch.zeros(batch.targets.shape)
        losses[chosen] = torch.nn.functional.cross_entropy(model.logits(hidden[chosen]).float(), batch.targets[chosen], reduction="none")
        for r, pieces in enumerate(packed):
            position = 0
            for piece in pieces:
                here = slice(position, position + piece.size)
                sums[piece.document] += float(losses[r, here].sum())
                counts[piece.document] += int(chosen[r, here].sum())
                position += piece.size
    talks = [d for d in sorted(sums) if counts[d] and not stage.mask[stage.starts[d] + 1 : stage.ends[d]].all()]
    return np.array([sums[d] for d in talks]), np.array([counts[d] for d in talks])


def difference(losses: np.ndarray, control: np.ndarray, counts: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Mean loss a token above the control's, and its 95 % interval; sums a document of both, (documents,)."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(counts), (RESAMPLES, len(counts)))
    gaps = (losses - control)[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(gaps, [2.5, 97.5])
    return float((losses - control).sum() / counts.sum()), float(low), float(high)


def main() -> int:
    """Command line: one JSON line a checkpoint, then one for all of them together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True, help="folder that tidepool_model.data.build wrote")
    parser.add_argument("--control", type=Path, required=True, action="append", help="checkpoint folder to compare with; given as often as there are checkpoints: one for each, in their order")
    parser.add_argument("--stage", default="held_out")
    options = parser.parse_args()
    if len(options.control) not in (1, len(options.checkpoints)):
        parser.error(f"--control is given {len(options.control)} times for {len(options.checkpoints)} checkpoints; give it once, or once for each")
    try:
        stage = PackedStage(options.data, options.stage)
        controls: list[np.ndarray] = []
        for path in options.control:
            control, counts = document_losses(load_pretrained(path), stage)
            controls.append(control)
            print(json.dumps({"checkpoint": str(path), "loss": round(control.sum() / counts.sum(), 5), "documents": len(counts), "tokens": int(counts.sum())}))
        found = []
        for at, path in enumerate(options.checkpoints):
            losses, _ = document_losses(load_pretrained(path), stage)
            found.append(losses)
            _report(str(path), losses, controls[at % len(controls)], counts)
        if len(found) > 1:
            _report("mean of all", np.mean(found, axis=0), np.mean(controls, axis=0), counts)
    except (CheckpointError, ConfigError, DataError) as error:
        print(f"held_out: {error}", file=sys.stderr)
        return 1
    return 0


def _report(name: str, losses: np.ndarray, control: np.ndarray, counts: np.ndarray) -> None:
    gap, low, high = difference(losses, control, counts)
    relative = gap / (control.sum() / counts.sum())
    line = {"checkpoint": name, "loss": losses.sum() / counts.sum(), "gap": gap, "low": low, "high": high, "relative": relative}
    print(json.dumps({key: value if isinstance(value, str) else round(float(value), 5) for key, value in line.items()}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
