"""Puts a hybrid's matrices on their 4-bit grid by GPTQ, as the start of straight-through training.

    python -m tidepool_model.training.calibrate_hybrid CHECKPOINT OUT --rows plain.npy chat.npy --count 16

The float weights are kept where they round to the calibrated codes and moved just over the border where they don't.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..architecture.grid import calibrate, into_cells
from ..architecture.hybrid_llama import HybridLlama, Linear
from .lagoon_checkpoint import read_hybrid, write_hybrid


@torch.no_grad()
def second_moments(model: HybridLlama, rows: Tensor) -> dict[str, Tensor]:
    """Mean of x xᵀ (K, K) over the inputs of each matrix, by its name; inputs that several share are summed once each."""
    sums: dict[str, Tensor] = {}

    def watch(name: str):
        def hook(module: Linear, given: tuple[Tensor, ...]) -> None:
            flat = given[0].reshape(-1, given[0].shape[-1]).float()
            sums[name] = sums.get(name, 0.0) + flat.T @ flat

        return hook

    hooks = [m.register_forward_pre_hook(watch(f"{name}.weight")) for name, m in model.named_modules() if isinstance(m, Linear)]
    for row in tqdm(rows, desc="inputs", unit="row"):
        model.hidden(row[None])
    for hook in hooks:
        hook.remove()
    return {name: total / rows.numel() for name, total in sums.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", nargs="+", required=True)
    parser.add_argument("--count", type=int, default=16, help="rows of 512 tokens")
    args = parser.parse_args()
    model, _ = read_hybrid(args.checkpoint)
    arrays = [np.load(path, mmap_mode="r") for path in args.rows]
    rows = torch.from_numpy(np.concatenate([a[: args.count // len(arrays)] for a in arrays])[:, :512].astype(np.int64))
    moments = second_moments(model, rows)
    parameters = dict(model.named_parameters())
    scales: dict[str, Tensor] = {}
    for name, moment in tqdm(moments.items(), desc="matrices", unit="matrix"):
        weight = parameters[name].data
        codes, scale = calibrate(weight, moment)
        parameters[name].data = into_cells(weight, codes, scale)
        scales[name] = scale
    write_hybrid(args.out, model.config, model.state_dict(), scales, args.checkpoint / "tokenizer.json")


if __name__ == "__main__":
    main()
